import BridgeCore
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Bridge
@testable import QUICTransport

/// Which address a connection is made to, on real sockets.
@Suite(.mapping(.connection), .timeLimit(.minutes(5)))
struct QUICDialerTests {
    /// The outcome of a dial.
    final class Owner: UplinkCarrierObserver {
        let ready: EventLoopPromise<Int?>
        var connection: QUICCarrier?

        init(on loop: any EventLoop) {
            ready = loop.makePromise()
        }

        func dial(
            _ dialer: QUICDialer, _ endpoint: UplinkEndpoint, within: Duration = .seconds(20), early: UplinkLeg? = nil
        ) {
            connection = dialer.dial(
                .unplanned, to: endpoint, within: within, idleTimeout: .seconds(30), observer: self, early: early)
        }

        func carrierReady(_ carrier: any UplinkCarrier, _ readiness: UplinkReadiness) {
            ready.succeed(connection?.openHandle?.remoteAddress.port)
        }

        func carrierFailed(_ carrier: any UplinkCarrier, _ end: UplinkConnectionEnd) {
            ready.fail(HarnessError(end.why))
        }
    }

    /// A port that receives everything and never answers.
    private static func silent(on loop: any EventLoop) async throws -> any Channel {
        try await DatagramBootstrap(group: loop).bind(host: "127.0.0.1", port: 0).get()
    }

    private static func server(on loop: any EventLoop, _ tls: QUICTLSContext) async throws -> any Channel {
        try await DatagramBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(QUICEchoServer(tls: tls))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    struct World {
        let loop: any EventLoop
        let tls: QUICTLSContext
        let server: any Channel
        let silent: any Channel
        let configuration: BridgeConfiguration
        let tickets: TicketStore
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

        func dialer(resolve: @escaping QUICDialer.Resolve) -> QUICDialer {
            QUICDialer(
                configuration: configuration, eventLoop: loop, tls: tls, tickets: tickets,
                news: PathNews(logger: logger), logger: logger, resolve: resolve)
        }

        var endpoint: UplinkEndpoint { configuration.uplink.endpoints[0] }

        func address(_ channel: any Channel) throws -> SocketAddress { try #require(channel.localAddress) }

        func close() async throws {
            for channel in [server, silent] { try await channel.close() }
        }
    }

    func world(_ change: (inout UplinkConfiguration) -> Void = { _ in }) async throws -> World {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let certificates = try await Certificates.make()
        let serverTLS = try QUICTLSContext.server(
            certificateFile: certificates.certificate("server"), keyFile: certificates.key("server"),
            ticketKey: QUICTicketKey(), antiReplay: QUICAntiReplay())
        var uplink = UplinkConfiguration(
            host: "localhost", caFile: certificates.certificate("ca"), mapping: .connection)
        change(&uplink)
        let tls = try QUICTLSContext.client(uplink)
        return World(
            loop: loop, tls: tls, server: try await Self.server(on: loop, serverTLS),
            silent: try await Self.silent(on: loop), configuration: BridgeConfiguration(uplink: uplink),
            tickets: TicketStore(
                uplink, trust: tls.trust, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    }

    /// Dials once, and returns the port of the address that won.
    ///
    /// - Parameter isDone: What the connection is kept for.
    func dial(
        _ world: World, within: Duration = .seconds(20), until isDone: () -> Bool = { true },
        found: @escaping @Sendable (any EventLoop) -> EventLoopFuture<[SocketAddress]>
    ) async throws -> Int? {
        let (dialer, owner) = try await world.loop.submit {
            let dialer = world.dialer(resolve: { _, _, loop in found(loop) })
            let owner = Owner(on: world.loop)
            owner.dial(dialer, world.endpoint, within: within)
            return (NIOLoopBound(dialer, eventLoop: world.loop), NIOLoopBound(owner, eventLoop: world.loop))
        }.get()
        var result: Result<Int?, any Error>
        do {
            let outcome = try await world.loop.flatSubmit { owner.value.ready.futureResult }.get()
            while !isDone() { try await Task.sleep(for: .milliseconds(5)) }
            result = .success(outcome)
        } catch {
            result = .failure(error)
        }
        try await world.loop.submit {
            owner.value.connection?.close()
            owner.value.connection = nil
            dialer.value.shutDown()
        }.get()
        return try result.get()
    }

    private func dial(_ world: World, _ addresses: [SocketAddress], within: Duration = .seconds(20)) async throws
        -> Int?
    {
        try await dial(world, within: within) { $0.makeSucceededFuture(addresses) }
    }

    /// Expects less than `limit` of the best of three attempts, because the machine may stand still during one.
    private func expectTime(below limit: TimeAmount, of body: () async throws -> Void) async throws {
        var times: [TimeAmount] = []
        repeat {
            let start = NIODeadline.now()
            try await body()
            times.append(NIODeadline.now() - start)
        } while times.count < 3 && times.allSatisfy { $0 >= limit }
        #expect(times.contains { $0 < limit }, "\(times)")
    }

    @Test func anAddressThatIsSilentCostsLittle() async throws {
        let world = try await world()
        try await expectTime(below: .seconds(10)) {
            let port = try await dial(world, [world.address(world.silent), world.address(world.server)])
            #expect(port == (try world.address(world.server).port))
        }
        try await world.close()
    }

    @Test func anAddressWithoutARouteCostsNothing() async throws {
        let world = try await world()
        let nowhere = try SocketAddress(ipAddress: "2001:db8::1", port: 14567)
        let port = try await dial(world, [nowhere, world.address(world.server)])
        #expect(port == (try world.address(world.server).port))
        try await world.close()
    }

    @Test func allTogetherTakeNoLongerThanAllowed() async throws {
        let world = try await world()
        let addresses = [SocketAddress](repeating: try world.address(world.silent), count: 20)
        try await expectTime(below: .seconds(5)) {
            let error = await #expect(throws: HarnessError.self) {
                try await dial(world, addresses, within: .milliseconds(600))
            }
            let why = try #require(error)
            #expect("\(why)".contains("UDP"))
        }
        try await world.close()
    }

    @Test func aNameThatIsNotFoundInTimeIsAFailure() async throws {
        let world = try await world()
        let never = world.loop.makePromise(of: [SocketAddress].self)
        let error = await #expect(throws: HarnessError.self) {
            try await dial(world, within: .milliseconds(200)) { _ in never.futureResult }
        }
        #expect("\(try #require(error))".contains("could not be looked up in time"))
        never.succeed([])
        try await world.close()
    }

    /// A lookup that began during an outage hangs, although the broker answers again.
    @Test func aNameThatHangsDoesNotKeepFromABrokerThatAnswers() async throws {
        let world = try await world()
        let server = try world.address(world.server)
        let lookups = NIOLoopBoundBox.makeBoxSendingValue([EventLoopPromise<[SocketAddress]>](), eventLoop: world.loop)
        let connect = {
            (dialer: NIOLoopBound<QUICDialer>) in
            world.loop.submit {
                let owner = Owner(on: world.loop)
                owner.dial(dialer.value, world.endpoint)
                return NIOLoopBound(owner, eventLoop: world.loop)
            }
        }
        let dialer = try await world.loop.submit {
            NIOLoopBound(
                world.dialer(resolve: { _, _, loop in
                    let promise = loop.makePromise(of: [SocketAddress].self)
                    if lookups.value.isEmpty { promise.succeed([server]) }
                    lookups.value.append(promise)
                    return promise.futureResult
                }), eventLoop: world.loop)
        }.get()
        let first = try await connect(dialer).get()
        _ = try await world.loop.flatSubmit { first.value.ready.futureResult }.get()
        try await world.loop.submit { first.value.connection?.close() }.get()
        let second = try await connect(dialer).get()
        while try await world.loop.submit({ lookups.value.count }).get() < 2 {
            try await Task.sleep(for: .milliseconds(5))
        }
        try await world.loop.submit { second.value.connection?.hurry() }.get()
        let port = try await world.loop.flatSubmit { second.value.ready.futureResult }.get()
        #expect(port == server.port)
        // The result of the lookup no longer matters.
        try await world.loop.submit { for lookup in lookups.value { lookup.succeed([]) } }.get()
        try await world.loop.submit {
            second.value.connection?.close()
            dialer.value.shutDown()
        }.get()
        try await world.close()
    }

    /// Attempts that were given up are not kept until DNS answers, however many there are.
    @Test func nobodyStaysInALookupThatHangs() async throws {
        let world = try await world()
        let never = world.loop.makePromise(of: [SocketAddress].self)
        let count = 300
        let state = try await world.loop.submit {
            let dialer = world.dialer(resolve: { _, _, _ in never.futureResult })
            let owners = (0..<count).map { index in
                let owner = Owner(on: world.loop)
                owner.dial(dialer, world.endpoint, within: .milliseconds(index == 0 ? 600_000 : 50))
                return owner
            }
            return NIOLoopBound((dialer, owners), eventLoop: world.loop)
        }.get()
        for index in 1..<count {
            await #expect(throws: HarnessError.self) {
                try await world.loop.flatSubmit { state.value.1[index].ready.futureResult }.get()
            }
        }
        let waiting: @Sendable () -> [Int] = { state.value.0.lookups.values.map(\.count) }
        #expect(try await world.loop.submit(waiting).get() == [1])
        // An attempt that its owner has closed is not kept either.
        try await world.loop.submit { state.value.1[0].connection?.close() }.get()
        #expect(try await world.loop.submit(waiting).get() == [0])
        never.succeed([try world.address(world.server)])
        try await world.loop.submit {
            #expect(state.value.0.lookups.isEmpty)
            state.value.1[0].ready.succeed(nil)
            state.value.0.shutDown()
        }.get()
        try await world.close()
    }

    @Test func onlyAddressesOfTheFamilyAllowedAreTried() async throws {
        let world = try await world { $0.addressFamily = .ipv6 }
        let address = try world.address(world.server)
        let error = await #expect(throws: HarnessError.self) { try await dial(world, [address]) }
        #expect("\(try #require(error))".contains("no ipv6 address"))
        try await world.close()
    }
}
