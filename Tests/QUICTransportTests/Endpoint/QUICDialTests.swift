import Logging
import NIOCore
import NIOPosix
import QUICSimulation
import Testing

@testable import QUICTransport

/// A dial whose owner is the test. Its connections go to ports at which nobody answers.
@Suite(.timeLimit(.minutes(2)))
struct QUICDialTests {
    private final class Owner: QUICDialOwner {
        private let endpoint: QUICEndpoint
        var hasEarlyData = false
        /// What the next call of `dial` or `sendEarlyData` throws.
        var dialErrors: [any Error] = []
        var earlyErrors: [any Error] = []
        var tickets: [QUICResumption] = []
        private(set) var tries: [(ticket: QUICResumption?, isEarly: Bool)] = []
        private(set) var handles: [QUICConnectionHandle] = []
        private(set) var lost: [ObjectIdentifier] = []
        private(set) var failures: [QUICDial.Failure] = []

        init(on eventLoop: any EventLoop) throws {
            endpoint = try QUICEndpoint(
                eventLoop: eventLoop, family: .ipv4, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func dial(
            _ dial: QUICDial, connectTo address: SocketAddress, ticket: QUICResumption?, isEarly: Bool
        ) throws -> QUICConnectionHandle {
            tries.append((ticket, isEarly))
            if !dialErrors.isEmpty { throw dialErrors.removeFirst() }
            let handle = try endpoint.connect(
                to: address, serverName: "broker.test", configuration: QUICConfiguration(alpn: ["mqtt"]),
                tls: TestCertificates.shared.client(), observer: dial)
            handles.append(handle)
            return handle
        }

        func takeTicket() -> QUICResumption? { tickets.popLast() }

        func putBack(_ ticket: QUICResumption) { tickets.append(ticket) }

        func sendEarlyData(on handle: QUICConnectionHandle) throws -> Bool {
            if !earlyErrors.isEmpty { throw earlyErrors.removeFirst() }
            return true
        }

        func earlyDataLost(on handle: QUICConnectionHandle, isRejected: Bool) {
            lost.append(ObjectIdentifier(handle))
        }

        func dialSucceeded(_ winner: QUICDial.Winner) {}

        func dialFailed(_ failure: QUICDial.Failure) { failures.append(failure) }
    }

    private static let ticket = QUICResumption(
        session: [1], earlyParameters: [1], serverName: "broker.test", trust: [1], alpn: "mqtt", allowsEarlyData: true,
        receivedAt: 0, lifetime: 7_200)
    private static let broken = QUICError.internalError(operation: "openStream", code: 1)
    private static let silent = QUICError.noAnswer(remote: "127.0.0.1:9", after: .seconds(1))

    /// Runs the body on the event loop, with a dial of so many addresses that has begun.
    private func run(
        addresses count: Int, _ prepare: @escaping @Sendable (Owner) -> Void,
        _ body: @escaping @Sendable (QUICDial, Owner) throws -> Void
    ) async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        try await eventLoop.submit {
            let owner = try Owner(on: eventLoop)
            prepare(owner)
            let dial = QUICDial(owner: owner, until: .now() + .seconds(60), on: eventLoop)
            dial.begin(with: try (1...count).map { try SocketAddress(ipAddress: "127.0.0.\($0)", port: 9) })
            try body(dial, owner)
            dial.abandon()
        }.get()
    }

    @Test("An attempt whose early data cannot be sent is over: it is closed, and its end does not count again")
    func earlyDataThrows() async throws {
        try await run(addresses: 2) { owner in
            owner.hasEarlyData = true
            owner.tickets = [Self.ticket]
            owner.earlyErrors = [Self.broken]
        } _: { dial, owner in
            // The second address need not wait.
            #expect(owner.handles.count == 2)
            let first = try #require(owner.handles.first)
            #expect(first.observer == nil)
            #expect(owner.lost == [ObjectIdentifier(first)])
            dial.connection(first, happened: .closed(Self.silent))
            #expect(!dial.isOver && owner.failures.isEmpty)
            dial.connection(owner.handles[1], happened: .closed(Self.silent))
            #expect(dial.isOver && owner.failures.count == 1)
            #expect(owner.failures.first?.cause as? QUICError == Self.broken)
        }
    }

    @Test("A ticket that could not be used, because of the network, is put back; after another failure it is not")
    func ticketAfterFailure() async throws {
        let errors: [(any Error, Int)] = [
            (QUICError.unreachable(remote: "127.0.0.1:9", reason: "no route"), 1),
            (IOError(errnoCode: 24, reason: "socket"), 1), (QUICError.invalidServerName("?"), 0), (Self.broken, 0),
        ]
        for (error, kept) in errors {
            try await run(addresses: 1) { owner in
                owner.tickets = [Self.ticket]
                owner.dialErrors = [error]
            } _: { dial, owner in
                #expect(dial.isOver && owner.failures.count == 1)
                #expect(owner.tickets.count == kept, "\(error)")
            }
        }
    }

    @Test("The next address gets the ticket that the first one could not use, but no early data")
    func ticketForNextAddress() async throws {
        try await run(addresses: 2) { owner in
            owner.hasEarlyData = true
            owner.tickets = [Self.ticket]
            owner.dialErrors = [QUICError.unreachable(remote: "127.0.0.1:9", reason: "no route")]
        } _: { dial, owner in
            #expect(!dial.isOver && owner.handles.count == 1)
            #expect(owner.tries.map(\.ticket) == [Self.ticket, Self.ticket])
            #expect(owner.tries.map(\.isEarly) == [true, false])
        }
    }
}
