/// A NAT at the edge's end of the link: the cloud sees another address and port than the edge has.
///
/// A rebind makes it forget all flows without a word, as home routers and mobile networks do. What a flow sends then
/// comes from a new port, and what is sent to the old one gets lost.
struct AddressTranslation {
    /// Which flows are translated. Others pass unchanged.
    enum Mode: String, CaseIterable {
        case off, udp, all
    }

    private struct Flow: Hashable {
        var transport: IPv4Packet.Transport
        var end: IPv4Packet.End
    }

    /// External ports. A new flow takes over the port of the oldest one if all are in use.
    private static let ports: ClosedRange<UInt16> = 20_000...64_999

    var mode = Mode.off
    /// Whether a TCP packet of an unknown flow, if it does not open a connection, is dropped. Otherwise it gets a new
    /// port, and the peer resets the connection.
    var dropsUnknownTCP = false
    private(set) var address: UInt32
    private(set) var mappings = 0
    private(set) var rebinds = 0
    private var outside: [Flow: UInt16] = [:]
    private var inside: [Flow: IPv4Packet.End] = [:]
    private var lastPort = ports.upperBound

    init(address: UInt32) {
        self.address = address
    }

    /// Forgets all flows.
    /// - Parameter address: What the cloud sees from now on; `nil` for the same as before.
    mutating func rebind(to address: UInt32? = nil) {
        if let address { self.address = address }
        outside = [:]
        inside = [:]
        rebinds += 1
    }

    mutating func resetStatistics() {
        mappings = 0
        rebinds = 0
    }

    /// Gives a packet from the edge its outside source.
    /// - Returns: Whether it may pass.
    mutating func translateOutgoing(_ bytes: inout [UInt8]) -> Bool {
        guard mode != .off else { return true }
        let packet: IPv4Packet
        switch IPv4Packet.parse(bytes) {
        case .flow(let parsed): packet = parsed
        case .other: return true
        case .unreadable: return false
        }
        guard translates(packet) else { return true }
        let flow = Flow(transport: packet.transport, end: packet.source)
        let port: UInt16
        if let known = outside[flow] {
            port = known
        } else {
            if dropsUnknownTCP, packet.transport == .tcp, !packet.opensConnection { return false }
            port = map(flow)
        }
        packet.setSource(IPv4Packet.End(address: address, port: port), in: &bytes)
        return true
    }

    /// Gives a packet for the edge the destination that it is meant for.
    /// - Returns: Whether it may pass: there is a mapping for it.
    mutating func translateIncoming(_ bytes: inout [UInt8]) -> Bool {
        guard mode != .off else { return true }
        let packet: IPv4Packet
        switch IPv4Packet.parse(bytes) {
        case .flow(let parsed): packet = parsed
        case .other: return true
        case .unreadable: return false
        }
        guard translates(packet) else { return true }
        guard let end = inside[Flow(transport: packet.transport, end: packet.destination)] else { return false }
        packet.setDestination(end, in: &bytes)
        return true
    }

    private func translates(_ packet: IPv4Packet) -> Bool {
        mode == .all || packet.transport == .udp
    }

    private mutating func map(_ flow: Flow) -> UInt16 {
        lastPort = lastPort == Self.ports.upperBound ? Self.ports.lowerBound : lastPort + 1
        let external = Flow(transport: flow.transport, end: IPv4Packet.End(address: address, port: lastPort))
        if let previous = inside.updateValue(flow.end, forKey: external) {
            outside[Flow(transport: flow.transport, end: previous)] = nil
        }
        outside[flow] = lastPort
        mappings += 1
        return lastPort
    }
}
