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

    /// Begins on another leg.
    ///
    /// - Parameters:
    ///   - isSessionPresent: The broker still knows the session.
    ///   - needsSubscriptions: The subscriptions have to be asked for again.
    ///   - limits: The limits of the new leg.
    mutating func rejoin(
        isSessionPresent: Bool, needsSubscriptions: Bool, _ limits: LegLimits
    ) throws(MQTTError) -> (Ledger.Step, resent: Int) {
        isOpen = true
        aliasMaximum = min(limits.topicAliasMaximum, told.topicAliasMaximum)
        if !aliases.isEmpty { aliases[0].startAnew(maximum: aliasMaximum) }
        let requests = needsSubscriptions ? books.first?.requests() ?? [] : []
        // The device itself keeps within what it was told.
        let receiveMaximum = limits.receiveMaximum < told.receiveMaximum ? limits.receiveMaximum : nil
        var maximumPacketSize = limits.maximumPacketSize
        if let told = told.maximumPacketSize, maximumPacketSize ?? .max >= told { maximumPacketSize = nil }
        repeatBirthBehindOlder(isSessionPresent: isSessionPresent, limits)
        let birth = birth(isSessionPresent: isSessionPresent, limits)
        var step = Ledger.Step()
        if let birth { step.up.append(birth.packet) }
        guard
            !ledgers.isEmpty || !requests.isEmpty || receiveMaximum != nil || maximumPacketSize != nil
                || birth?.packetID != nil
        else { return (step, step.up.count) }
        let unused = unusedIDs(requests.count, besides: birth?.packetID)
        var own: [(packetID: UInt16, packet: ByteBuffer)] = []
        for (request, packetID) in zip(requests, unused) {
            var request = request
            request.packetID = packetID
            own.append((packetID, try request.encode(version: version)))
        }
        let repeats = ledger?.repeats(isSessionPresent: isSessionPresent) ?? 0
        write {
            $0.window = receiveMaximum.map { Ledger.Window($0) }
            $0.maximumPacketSize = maximumPacketSize
            if let packetID = birth?.packetID { $0.sentBirth(packetID, limits) }
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
        return (step, repeats + own.count + (birth == nil ? 0 : 1))
    }

    private func unusedIDs(_ count: Int, besides other: UInt16?) -> [UInt16] {
        let unused = ledger?.unusedIDs(count + 1) ?? Ledger.firstUnusedIDs(count + 1)
        return Array(unused.filter { $0 != other }.prefix(count))
    }

    /// What a suspended leg is given when the session ends, in case the broker answers.
    mutating func drain() -> (packets: [ByteBuffer], isInsidePacket: Bool) {
        guard !ledgers.isEmpty else { return ([], false) }
        return ledgers[0].drain()
    }
}

extension Ledger {
    /// A message of the bridge's own at QoS 1 has gone out before everything else. It takes a place in the broker's
    /// Receive Maximum, all of which the device may use.
    mutating func sentBirth(_ packetID: UInt16, _ limits: LegLimits) {
        own.insert(packetID)
        if window == nil, limits.receiveMaximum < .max {
            window = Window(limits.receiveMaximum)
            isWindowBrief = true
        }
        window?.sent()
    }

    static func firstUnusedIDs(_ count: Int) -> [UInt16] {
        (0..<min(count, Int(UInt16.max))).map { UInt16.max - UInt16($0) }
    }
}
