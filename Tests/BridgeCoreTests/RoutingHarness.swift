import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// A router, with typed packets going in and coming out on both sides.
struct RoutingHarness {
    var router: PacketRouter
    let version: MQTTVersion

    /// `telemetry/#` goes up, and `commands/#` comes down. `rooms/+/lamp` and `same/#` go both ways, and `same/#` keeps
    /// its topic. `low/#` is capped at QoS 0 and `mid/#` at QoS 1, and `flat/#` loses its RETAIN.
    static let routes = [
        Route(local: "telemetry/#", remote: "device/${clientid}/telemetry/#", direction: .up),
        Route(local: "commands/#", remote: "device/${clientid}/commands/#", direction: .down),
        Route(local: "rooms/+/lamp", remote: "site/lamps/+"),
        Route(local: "same/#", remote: "same/#"),
        Route(local: "low/#", remote: "r/low/#", maximumQoS: 0),
        Route(local: "mid/#", remote: "r/mid/#", maximumQoS: 1),
        Route(local: "flat/#", remote: "r/flat/#", retain: .strip),
    ]

    init(_ version: MQTTVersion, _ unrouted: UnroutedPolicy, routes: [Route] = Self.routes) throws {
        let table = try RoutingTable(routes: routes, unrouted: unrouted)
        router = PacketRouter(routes: try table.resolved(with: RouteVariables(clientID: "d1")), version: version)
        router.brokerAliasMaximum = 10
        router.deviceAliasMaximum = 10
        self.version = version
    }

    mutating func device(_ packet: Packet) throws -> Outcome {
        let frame = try Frame(packet: packet.encode(version: version), version: version)
        return try Outcome(router.fromDevice(frame), of: frame, version: version)
    }

    mutating func broker(_ packet: Packet) throws -> Outcome {
        let frame = try Frame(packet: packet.encode(version: version), version: version)
        return try Outcome(router.fromBroker(frame), of: frame, version: version)
    }

    struct Outcome: Equatable, CustomStringConvertible {
        var forward: Packet?
        var reply: [Packet] = []
        var close: ReasonCode?
        /// Whether the forwarded packet is the slice that went in.
        var isUnchanged = false

        static func unchanged(_ packet: Packet) -> Self { Self(forward: packet, isUnchanged: true) }
        static func forward(_ packet: Packet) -> Self { Self(forward: packet) }
        static func forward(_ packet: Packet, reply: Packet) -> Self { Self(forward: packet, reply: [reply]) }
        static func reply(_ packet: Packet) -> Self { Self(reply: [packet]) }
        static func close(_ reason: ReasonCode) -> Self { Self(close: reason) }
        static let nothing = Self()

        var description: String {
            "forward: \(forward.map { "\($0)" } ?? "-")\(isUnchanged ? " unchanged" : ""), reply: \(reply),"
                + " close: \(close.map { "\($0)" } ?? "-")"
        }
    }
}

extension RoutingHarness.Outcome {
    init(_ routed: PacketRouter.Routed, of frame: Frame, version: MQTTVersion) throws {
        if !routed.forward.isEmpty {
            forward = try Self.packet(in: Array(routed.forward), version: version)
        }
        reply = try routed.reply.map { try Self.packet(in: [$0], version: version) }
        close = routed.close?.reasonCode
        isUnchanged = routed.forward.count == 1 && routed.forward.allSatisfy { $0.sharesBytes(with: frame.bytes) }
    }

    static func packet(in buffers: [ByteBuffer], version: MQTTVersion) throws -> Packet {
        let whole = buffers.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
        return try Packet.decode(Frame(packet: whole, version: version), version: version)
    }
}

extension ByteBuffer {
    /// Whether both buffers are the same bytes in memory.
    func sharesBytes(with other: ByteBuffer) -> Bool {
        withUnsafeReadableBytes { own in
            other.withUnsafeReadableBytes { own.baseAddress == $0.baseAddress && own.count == $0.count }
        }
    }
}

extension Packet {
    static func publish(
        _ topic: String, qos: QoS = .atMostOnce, id: UInt16? = nil, retain: Bool = false, dup: Bool = false,
        _ properties: Properties = [], payload: String = "21.5"
    ) -> Packet {
        .publish(
            PublishHead(
                isDuplicate: dup, qos: qos, retain: retain, topic: topic, packetID: id, properties: properties),
            payload: ByteBuffer(string: payload))
    }

    static func puback(_ id: UInt16, _ code: ReasonCode = .success, _ properties: Properties = []) -> Packet {
        .puback(PublishAck(packetID: id, reasonCode: code.rawValue, properties: properties))
    }

    static func pubrec(_ id: UInt16, _ code: ReasonCode = .success, _ properties: Properties = []) -> Packet {
        .pubrec(PublishAck(packetID: id, reasonCode: code.rawValue, properties: properties))
    }

    static func pubrel(_ id: UInt16) -> Packet { .pubrel(PublishAck(packetID: id)) }
    static func pubcomp(_ id: UInt16) -> Packet { .pubcomp(PublishAck(packetID: id)) }

    static func subscribe(_ id: UInt16, _ filters: (String, QoS)..., properties: Properties = []) -> Packet {
        .subscribe(
            Subscribe(
                packetID: id, properties: properties,
                subscriptions: filters.map { Subscription(filter: $0.0, qos: $0.1) }))
    }

    static func suback(_ id: UInt16, _ codes: [UInt8], _ properties: Properties = []) -> Packet {
        .suback(Suback(packetID: id, properties: properties, codes: codes))
    }

    static func unsubscribe(_ id: UInt16, _ filters: String...) -> Packet {
        .unsubscribe(Unsubscribe(packetID: id, filters: filters))
    }

    static func unsuback(_ id: UInt16, _ codes: [UInt8] = [], _ properties: Properties = []) -> Packet {
        .unsuback(Unsuback(packetID: id, properties: properties, codes: codes))
    }
}
