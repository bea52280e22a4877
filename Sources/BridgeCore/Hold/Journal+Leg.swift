import MQTTCodec
import NIOCore

// What happens to the leg.
extension Journal {
    mutating func pause() {
        isOpen = false
        if !ledgers.isEmpty { ledgers[0].pause() }
    }

    mutating func resume() -> Ledger.Step {
        isOpen = true
        var step = Ledger.Step()
        if !ledgers.isEmpty { write { $0.resume(&step) } }
        return step
    }

    mutating func lose() {
        isOpen = false
        if !ledgers.isEmpty { ledgers[0].lose() }
    }

    /// Another leg.
    ///
    /// - Parameters:
    ///   - isSessionPresent: The broker still knows the session.
    ///   - needsSubscriptions: Ask for them again.
    ///   - limits: Of the new leg.
    mutating func rejoin(
        isSessionPresent: Bool, needsSubscriptions: Bool, _ limits: LegLimits
    ) throws(MQTTError) -> (Ledger.Step, resent: Int) {
        isOpen = true
        aliasMaximum = min(limits.topicAliasMaximum, told.topicAliasMaximum)
        if !aliases.isEmpty { aliases[0].startAnew(maximum: aliasMaximum) }
        let requests = needsSubscriptions ? books.first?.requests(version) ?? [] : []
        // Within what it was told the device keeps by itself.
        let receiveMaximum = limits.receiveMaximum < told.receiveMaximum ? limits.receiveMaximum : nil
        var maximumPacketSize = limits.maximumPacketSize
        if let told = told.maximumPacketSize, maximumPacketSize ?? .max >= told { maximumPacketSize = nil }
        guard !ledgers.isEmpty || !requests.isEmpty || receiveMaximum != nil || maximumPacketSize != nil else {
            return (Ledger.Step(), 0)
        }
        let unused = ledger?.unusedIDs(requests.count) ?? Ledger.firstUnusedIDs(requests.count)
        var own: [(packetID: UInt16, packet: ByteBuffer)] = []
        for (request, packetID) in zip(requests, unused) {
            var request = request
            request.packetID = packetID
            own.append((packetID, try request.encode(version: version)))
        }
        var step = Ledger.Step()
        let resent = (ledger?.repeats(isSessionPresent: isSessionPresent) ?? 0) + own.count
        write {
            $0.window = receiveMaximum.map { Ledger.Window($0) }
            $0.maximumPacketSize = maximumPacketSize
            if isSessionPresent {
                for request in own {
                    $0.own.insert(request.packetID)
                    step.up.append(request.packet)
                }
                $0.rejoin(&step)
            } else {
                $0.startAnew(own, &step)
            }
        }
        return (step, resent)
    }

    /// What a silent leg is given when the session ends, if it ever answers.
    mutating func drain() -> (packets: [ByteBuffer], isInsidePacket: Bool) {
        guard !ledgers.isEmpty else { return ([], false) }
        return ledgers[0].drain()
    }
}

extension Ledger {
    static func firstUnusedIDs(_ count: Int) -> [UInt16] {
        (0..<min(count, Int(UInt16.max))).map { UInt16.max - UInt16($0) }
    }
}
