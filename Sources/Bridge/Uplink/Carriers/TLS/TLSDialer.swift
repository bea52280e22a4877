import BridgeCore
import NIOCore
import QUICTransport
import TLSTransport

/// Makes TLS connections to the fallback for one event loop. It looks the fallback's name up for each connection, and
/// races its addresses (RFC 8305). Its caller decides when and for which device.
final class TLSDialer {
    private struct Attempt {
        let connection: TLSConnection
        let deadline: NIODeadline
    }

    private let context: TLSClientContext
    private let connector: TLSConnector
    private let uplink: UplinkConfiguration
    /// How many bytes the broker may send before the device has taken any.
    private let window: Int
    private let eventLoop: any EventLoop
    private let resolve: QUICDialer.Resolve
    /// The attempts that wait for the lookup under way; `nil` if there is none. Devices that come and go must not pile
    /// up lookups. An attempt that is given up leaves the line. Bounded by `limits.devices`.
    private var lookup: WaitingLine<ObjectIdentifier, Attempt>?

    init(
        _ context: TLSClientContext, _ configuration: BridgeConfiguration, on eventLoop: any EventLoop,
        resolve: @escaping QUICDialer.Resolve = { HostResolver().resolve(host: $0, port: $1, on: $2) }
    ) {
        self.context = context
        self.connector = TLSConnector(
            context, keepAlive: configuration.uplink.keepAlive, pathTimeout: configuration.uplink.pathTimeout,
            on: eventLoop)
        self.resolve = resolve
        self.uplink = configuration.uplink
        self.window = configuration.limits.sessionBuffer
        self.eventLoop = eventLoop
    }

    /// Starts a connection. The outcome goes to its observer, never from within this call.
    ///
    /// - Parameter patience: How long making the connection may take, from looking up the name to verifying the broker.
    func dial(
        _ id: UplinkConnectionID, within patience: Duration, observer: any UplinkCarrierObserver
    ) -> TLSCarrier {
        let connection = TLSConnection(words: context.words, window: window, eventLoop: eventLoop)
        let carrier = TLSCarrier(id, connection, observer: observer)
        let deadline = NIODeadline.now() + TimeAmount(patience)
        connection.limit(by: deadline, of: patience)
        let attempt = Attempt(connection: connection, deadline: deadline)
        eventLoop.assumeIsolated().execute { [self] in
            if connection.isDialing { lookUp(for: attempt) }
        }
        return carrier
    }

    /// How many attempts wait for the lookup.
    var waitingCount: Int { lookup?.count ?? 0 }

    private func lookUp(for attempt: Attempt) {
        let isUnderWay = lookup != nil
        let key = ObjectIdentifier(attempt.connection)
        var line = lookup ?? WaitingLine()
        lookup = nil
        line.append(key, attempt)
        lookup = line
        attempt.connection.givenUp = { [weak self] in _ = self?.lookup?.remove(key) }
        guard !isUnderWay else { return }
        let server = context.settings
        resolve(server.host, server.port, eventLoop)
            .assumeIsolated()
            .whenComplete { [self] result in
                let attempts = lookup?.all ?? []
                lookup = nil
                for attempt in attempts where attempt.connection.isDialing { resolved(result, for: attempt) }
            }
    }

    private func resolved(_ result: Result<[SocketAddress], any Error>, for attempt: Attempt) {
        switch result {
        case .success(let all):
            let usable = all.filter { uplink.addressFamily.admits($0) }
            guard usable.isEmpty else {
                return connector.connect(attempt.connection, to: usable, until: attempt.deadline)
            }
            attempt.connection.fail(
                TLSFailure(
                    .network, "\(context.settings.host) has no \(uplink.addressFamily.rawValue) address"))
        case .failure(let error):
            attempt.connection.fail(context.words.error(error, certificate: nil))
        }
    }
}
