import Foundation

/// An emulated link between two networks, on a clock that the caller brings: packets go in, and come out when they are
/// due. Its NAT is at the edge's end.
///
/// ```
///   edge ──▶ outage ──▶ NAT ──▶ uplink ──────────────▶ cloud
///   edge ◀────────────── NAT ◀── downlink ◀── outage ◀── cloud
/// ```
/// What is on its way when the link goes down still arrives. What is on its way to the edge when the NAT forgets its
/// flows does not.
struct Link {
    private let seed: UInt64
    private var uplink: LinkDirection
    private var downlink: LinkDirection
    private var translation: AddressTranslation
    /// When the outage ends, in nanoseconds.
    private var downUntil: Int64?

    /// - Parameter natAddress: What the NAT shows to the cloud, once it is on.
    init(seed: UInt64, natAddress: UInt32) {
        self.seed = seed
        uplink = LinkDirection(seed: seed, number: 0)
        downlink = LinkDirection(seed: seed, number: 1)
        translation = AddressTranslation(address: natAddress)
    }

    var statistics: LinkStatistics {
        LinkStatistics(
            uplink: uplink.statistics, downlink: downlink.statistics, natMappings: translation.mappings,
            rebinds: translation.rebinds)
    }

    /// When the next packet of either direction is due, in nanoseconds.
    var nextDue: Int64? {
        guard let up = uplink.nextDue, let down = downlink.nextDue else { return uplink.nextDue ?? downlink.nextDue }
        return min(up, down)
    }

    /// - Parameter now: In nanoseconds; never less than before.
    mutating func enter(_ packet: [UInt8], _ side: LinkSide, at now: Int64) {
        self[side].statistics.packets += 1
        self[side].statistics.bytes += packet.count
        guard !isDown(at: now) else {
            self[side].statistics.droppedOutage += 1
            return
        }
        switch side {
        case .uplink:
            var packet = packet
            guard translation.translateOutgoing(&packet) else {
                uplink.statistics.droppedNAT += 1
                return
            }
            uplink.enter(packet, at: now)
        case .downlink:
            downlink.enter(packet, at: now)
        }
    }

    /// Takes the next packet that is due.
    mutating func leave(_ side: LinkSide, at now: Int64) -> [UInt8]? {
        while var packet = self[side].leave(at: now) {
            if side == .uplink || translation.translateIncoming(&packet) { return packet }
            downlink.statistics.droppedNAT += 1
        }
        return nil
    }

    /// Counts a packet that has left, and whether the kernel has taken it.
    mutating func delivered(_ length: Int, _ side: LinkSide, isTaken: Bool) {
        if isTaken {
            self[side].statistics.deliveredPackets += 1
            self[side].statistics.deliveredBytes += length
        } else {
            self[side].statistics.failed += 1
        }
    }

    private mutating func isDown(at now: Int64) -> Bool {
        guard let until = downUntil else { return false }
        if now >= until { downUntil = nil }
        return now < until
    }

    private subscript(side: LinkSide) -> LinkDirection {
        get { side == .uplink ? uplink : downlink }
        _modify { if side == .uplink { yield &uplink } else { yield &downlink } }
    }

    // MARK: Commands

    /// - Returns: What the command tells, if it tells anything.
    mutating func execute(_ command: LinkCommand, at now: Int64) throws(LinkError) -> String? {
        switch command {
        case .set(let key, let value, let side):
            for side in side.map({ [$0] }) ?? LinkSide.allCases { try self[side].settings.set(key, to: value) }
        case .down(let seconds):
            downUntil = seconds.map { now + Int64($0 * 1e9) } ?? .max
        case .up:
            downUntil = nil
        case .nat(let mode):
            translation.mode = mode
        case .natTCP(let dropsUnknown):
            translation.dropsUnknownTCP = dropsUnknown
        case .rebind(let address):
            translation.rebind(to: address)
        case .statistics:
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return (try? encoder.encode(statistics)).map { String(decoding: $0, as: UTF8.self) }
        case .show:
            return description(at: now)
        case .reset:
            uplink.reset(seed: seed, number: 0)
            downlink.reset(seed: seed, number: 1)
            translation.resetStatistics()
        }
        return nil
    }

    private mutating func description(at now: Int64) -> String {
        let directions = LinkSide.allCases.map { side in
            LinkSettings.Key.allCases.map { "\(side.rawValue).\($0.rawValue)=\(self[side].settings[$0])" }
        }
        let rest = [
            isDown(at: now) ? "down" : "up", "nat=\(translation.mode.rawValue)",
            "nat-tcp=\(translation.dropsUnknownTCP ? "drop" : "remap")",
        ]
        return (directions.joined() + rest).joined(separator: " ")
    }
}
