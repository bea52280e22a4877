import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// One session that is fed with packets, with its actions collected as short words.
struct SessionBench {
    var session: Session
    let version: MQTTVersion
    /// What the session is told about its client id.
    var clientIDWait = ClientIDWait.none

    init(
        _ version: MQTTVersion = .v3_1_1, routes: [Route] = [], unrouted: UnroutedPolicy = .reject,
        auth: AuthConfiguration = AuthConfiguration(), packetSize: Int = 10_000_000, hold: HoldPolicy? = nil,
        overLimit: String? = nil, bundles: LiveBundles? = nil
    ) throws {
        self.version = version
        session = Session(
            context: SessionContext(
                routes: try RoutingTable(routes: routes, unrouted: unrouted),
                identities: try IdentityMapper(auth, bundles: bundles),
                maximumPacketSize: packetSize, connectWithin: .seconds(5), connectTimeout: .seconds(5),
                listener: "lan", peer: "192.0.2.7", makeClientID: { "mqb0123456789abcdef" }, hold: hold,
                overLimit: overLimit))
    }

    func element(_ packet: Packet) throws -> FrameDecoder.Element {
        .packet(try Frame(packet: try packet.encode(version: version), version: version))
    }

    mutating func device(_ packet: Packet) throws -> [SessionAction] {
        let actions = session.deviceSent(try element(packet))
        guard actions.takesClientID else { return actions }
        return actions + session.clientIDTaken(clientIDWait)
    }

    mutating func broker(_ packet: Packet) throws -> [SessionAction] {
        session.uplinkSent(try element(packet))
    }

    func connect(_ change: (inout Connect) -> Void = { _ in }) -> Packet {
        var connect = Connect(version: version, clientID: "dev")
        change(&connect)
        return .connect(connect)
    }

    /// Brings the session to `connected`.
    mutating func establish(_ change: (inout Connect) -> Void = { _ in }) throws {
        _ = try device(connect(change))
        _ = session.uplinkReady()
        _ = try broker(.connack(Connack(sessionPresent: false, code: 0)))
        #expect(session.acceptsDeviceInput)
    }
}

extension [SessionAction] {
    var toUplink: [ByteBuffer] { compactMap { if case .sendToUplink(let bytes) = $0 { bytes } else { nil } } }
    var toDevice: [ByteBuffer] { compactMap { if case .sendToDevice(let bytes) = $0 { bytes } else { nil } } }
    var end: SessionEnd? { lazy.compactMap { if case .ended(let why) = $0 { why } else { nil } }.first }
    var closesDevice: Bool { contains { if case .closeDevice = $0 { true } else { false } } }
    var finishesUplink: Bool { contains { if case .finishUplink = $0 { true } else { false } } }
    var closesUplink: Bool { contains { if case .closeUplink = $0 { true } else { false } } }
    var takesClientID: Bool { contains { if case .takeClientID = $0 { true } else { false } } }
    var opensUplink: Bool { contains { if case .openUplink = $0 { true } else { false } } }
}
