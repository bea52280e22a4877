import BridgeCore
import Logging
import MQTTCodec
import NIOCore
import QUICTransport

/// Gives the devices of one event loop their streams: on connections that they share (`mux`, `data-stream`), or on one
/// for each.
///
/// Devices wait in one line, in the order in which they came. The first of it goes as soon as there is room on a shared
/// connection, or a connection may be made, which ``Upstream`` decides for all event loops together: over which way, one
/// alone after a failure, and at a steady pace after a loss. A device waits for at most
/// ``UplinkConfiguration/sessionTimeout``, which its session sees to.
///
/// CONNECT is never on two ways: a leg goes another way only while it has no stream, and what was made for it the other
/// way is closed then.
final class UplinkConnector {
    /// What its connections are.
    enum Role {
        /// The devices' own sessions, one a connection or one a stream.
        case devices
        /// Sessions of the gateway, of that version, whose data streams the devices get.
        case gateway(MQTTVersion, GatewayIdentity, GatewayNumbers)
    }

    /// What the server made of the offer to share connections.
    enum Sharing {
        case unknown
        case offered
        case refused
    }

    /// A connection being made.
    struct Dial {
        let connection: UplinkConnection
        /// Who waits for it; nil where it is made in advance, or its device has left.
        var leg: UplinkLeg?
        /// Of the device.
        let keepAlive: Duration?
        /// Nil where its outcome is known.
        let attempt: Upstream.Attempt?
    }

    let role: Role
    let configuration: UplinkConfiguration
    let eventLoop: any EventLoop
    let logger: Logger
    let carriage: ChosenCarriage
    let dialer: UplinkDialer
    /// Made ahead of time; nil where a connection is something that the broker shows.
    private(set) var warm: WarmConnections?
    let warmShares: WarmShares
    let upstream: Upstream
    let line: Upstream.Line
    /// Of this in ``upstream``.
    private(set) var waker = 0
    var shared: SharedConnections
    /// Shared ones to an endpoint that is not the best any more: they carry whom they carry, and nobody else.
    var leaving: [UplinkConnection] = []
    var sharing: Sharing
    var dials: [ObjectIdentifier: Dial] = [:]
    /// On connections of their own, where the broker is verified and allows no stream yet.
    var awaitingStream: [ObjectIdentifier: Dial] = [:]
    /// Bounded by `limits.devices`: one device stands in it once.
    var waiters = WaitingLine<ObjectIdentifier, (leg: UplinkLeg, keepAlive: Duration?)>()
    var isAdvancing = false
    let retry: Timer
    /// A connection was lost or could not be made, and none has been made since.
    var isDisturbed = false
    private(set) var isShutDown = false
    /// For the fallback; nil where there is none.
    let tlsDialer: TLSUplinkDialer?
    var tlsDials: [ObjectIdentifier: TLSDial] = [:]
    /// Those that carry a device.
    var tlsConnections: [ObjectIdentifier: TLSUplinkConnection] = [:]
    /// Where it is up to this event loop to try better ways.
    var prober: CandidateProber?
    var knownWay: CandidateChoice.Candidate

    init(_ role: Role, shared state: SharedState, dialer: UplinkDialer, eventLoop: any EventLoop) {
        let configuration = state.configuration.uplink
        self.role = role
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.retry = Timer(on: eventLoop)
        self.logger = state.logger
        self.carriage = state.carriage
        self.dialer = dialer
        self.upstream = state.upstream
        self.knownWay = state.upstream.chosen
        self.tlsDialer = state.fallback.map { TLSUplinkDialer($0, state.configuration, on: eventLoop) }
        self.warmShares = state.warmShares
        var warmShare = 0
        switch role {
        case .devices:
            line = .devices
            warmShare = configuration.mapping == .dataStream ? 0 : warmShares.take()
            shared = SharedConnections(
                devicesPerConnection: configuration.devicesPerConnection, keepsOne: warmShare > 0)
        case .gateway(let version, _, _):
            line = .gateway(version)
            shared = SharedConnections(devicesPerConnection: .max, usualCapacity: Self.usualDataStreams)
        }
        self.sharing =
            switch configuration.mapping {
            case .auto: .unknown
            case .mux, .dataStream: .offered
            case .connection: .refused
            }
        dialer.paths.add(self)
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        self.waker = upstream.register { eventLoop.execute { this.value.upstreamChanged() } }
        guard warmShare > 0 else { return }
        warm = WarmConnections(
            share: warmShare, configuration: configuration, dialer: dialer, logger: logger, owner: self)
    }

    /// Makes connections ahead of time, from now on.
    func warmUp() {
        warm?.fill()
    }

    /// Ten streams a connection, of which one is the gateway's: EMQX without configuration.
    private static let usualDataStreams = 9

    /// Starts a leg; the outcome goes to its observer, never from within this call.
    func connect(keepAlive: Duration?, observer: any UplinkLegObserver) -> UplinkLeg {
        let leg = UplinkLeg(observer: observer, owner: self)
        eventLoop.assumeIsolated().execute { [self] in
            guard leg.isWaiting else { return }
            waiters.append(ObjectIdentifier(leg), (leg, keepAlive))
            advance()
        }
        return leg
    }

    /// All legs are closed or about to be: ends the sessions of the gateway, and what is on its way.
    func retire() {
        isShutDown = true
        upstream.unregister(waker)
        retry.cancel()
        prober?.stop()
        prober = nil
        warm?.close()
        for dial in dials.values { dial.connection.close() }
        for dial in tlsDials.values { dial.connection.close() }
        for connection in shared.all + leaving { connection.retire() }
    }

    func close() {
        for connection in shared.all + leaving { connection.close() }
        for connection in tlsConnections.values { connection.close() }
    }
}
