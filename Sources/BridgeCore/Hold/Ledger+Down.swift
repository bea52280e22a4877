import MQTTCodec
import NIOCore

// Messages of the broker at QoS 1 and 2, and the device's answers to them.
extension Ledger {
    /// What happens to a PUBLISH of the broker.
    enum Delivery: Sendable, Equatable {
        /// The message goes to the device, under that identifier.
        case pass(UInt16)
        /// The device has had the message and has answered, so the broker is told.
        case answer(ByteBuffer)
        /// The device has the message, and will answer.
        case swallow
    }

    mutating func delivery(_ brokerID: UInt16, isExactlyOnce: Bool, isDuplicate: Bool) -> Delivery {
        let deviceID = remapped[brokerID] ?? brokerID
        guard let flow = down[deviceID], flow.brokerID == brokerID || flow.isOpen else {
            return pass(brokerID, as: brokerID, isExactlyOnce)
        }
        guard flow.brokerID == brokerID, !flow.isOrphan else {
            return pass(brokerID, as: unusedDeviceID(), isExactlyOnce)
        }
        if isDuplicate { return flow.isOld ? repeated(flow, deviceID) : .pass(deviceID) }
        guard flow.isOld, flow.isOpen else {
            drop(deviceID)
            return pass(brokerID, as: brokerID, isExactlyOnce)
        }
        // The identifier now means another message to the broker than to the device, which still uses the old one.
        orphan(deviceID)
        return pass(brokerID, as: unusedDeviceID(), isExactlyOnce)
    }

    private mutating func pass(_ brokerID: UInt16, as deviceID: UInt16, _ isExactlyOnce: Bool) -> Delivery {
        down[deviceID] = DownFlow(brokerID: brokerID, isExactlyOnce: isExactlyOnce)
        if deviceID != brokerID { remapped[brokerID] = deviceID }
        return .pass(deviceID)
    }

    /// The broker repeats a message because it does not know whether it arrived.
    private mutating func repeated(_ old: DownFlow, _ deviceID: UInt16) -> Delivery {
        down[deviceID]?.isOld = false
        switch old.stage {
        case .delivered:
            return .swallow
        case .answered(let code):
            drop(deviceID)
            return .answer(acknowledgement(old.isExactlyOnce ? .pubrec : .puback, old.brokerID, code))
        case .received, .releasing, .completed:
            return .answer(acknowledgement(.pubrec, old.brokerID))
        }
    }

    /// A packet identifier under which the device has no message. There always is one: the device has 65,535, and the
    /// broker uses each only once.
    private func unusedDeviceID() -> UInt16 {
        for candidate in (1...UInt16.max).reversed() where !down.contains(candidate) && remapped[candidate] == nil {
            return candidate
        }
        return .max
    }

    /// The broker sent PUBREL.
    mutating func brokerReleased(_ brokerID: UInt16) -> Delivery {
        let deviceID = remapped[brokerID] ?? brokerID
        guard let flow = down[deviceID] else {
            // The device's PUBCOMP was lost on another leg, or the flow belongs to a previous connection.
            down[brokerID] = DownFlow(brokerID: brokerID, isExactlyOnce: true, stage: .releasing)
            return .pass(brokerID)
        }
        guard flow.brokerID == brokerID, !flow.isOrphan else { return .answer(acknowledgement(.pubcomp, brokerID)) }
        down[deviceID]?.isOld = false
        switch flow.stage {
        case .completed:
            drop(deviceID)
            return .answer(acknowledgement(.pubcomp, brokerID))
        case .releasing where flow.isOld:
            return .swallow
        case .delivered, .received, .releasing, .answered:
            down[deviceID]?.stage = .releasing
            return .pass(deviceID)
        }
    }

    /// The device sent PUBACK, PUBREC or PUBCOMP; `packet` is what it sent.
    mutating func deviceAnswered(
        _ packet: ByteBuffer, _ type: PacketType, _ deviceID: UInt16, code: UInt8, _ step: inout Step
    ) {
        guard var flow = down[deviceID] else {
            // It answers something that the broker never sent on any leg: the broker may judge that itself on this one.
            if isOpen { emit(packet, &step) }
            return
        }
        let isFinal = type != .pubrec || code >= 0x80
        switch type {
        case .pubrec where !isFinal: if case .delivered = flow.stage { flow.stage = .received }
        case .pubcomp: flow.stage = .completed
        default: flow.stage = .answered(code: code)
        }
        down[deviceID] = flow
        if flow.isOrphan {
            if isFinal { drop(deviceID) } else { releaseOrphan(deviceID, &step) }
        } else if flow.isOld {
            return
        } else if isOpen {
            emit(flow.brokerID == deviceID ? packet : acknowledgement(type, flow.brokerID, code), &step)
            if isFinal { drop(deviceID) }
        } else {
            keep(PendingAcknowledgement(type: type, packetID: deviceID, code: code))
        }
    }

    /// The leg answers again, so the answers that waited for it are sent.
    mutating func sendPending(_ step: inout Step) {
        for waiting in takePending() {
            guard waiting.type != .pubrel else {
                up[waiting.packetID]?.isReleaseSent = true
                emit(acknowledgement(.pubrel, waiting.packetID), &step)
                continue
            }
            guard let flow = down[waiting.packetID] else { continue }
            emit(acknowledgement(waiting.type, flow.brokerID, waiting.code), &step)
            if waiting.type != .pubrec || waiting.code >= 0x80 { drop(waiting.packetID) }
        }
    }

    private mutating func drop(_ deviceID: UInt16) {
        guard let flow = down.removeValue(forKey: deviceID) else { return }
        if remapped[flow.brokerID] == deviceID { remapped[flow.brokerID] = nil }
    }

    private mutating func orphan(_ deviceID: UInt16) {
        guard let flow = down[deviceID] else { return }
        if remapped[flow.brokerID] == deviceID { remapped[flow.brokerID] = nil }
        down[deviceID]?.isOrphan = true
    }

    private mutating func releaseOrphan(_ deviceID: UInt16, _ step: inout Step) {
        down[deviceID]?.stage = .releasing
        step.down.append(acknowledgement(.pubrel, deviceID))
    }

    /// Another leg begins, and the broker has to come back to each message by itself.
    mutating func ageDeliveries() {
        takePending()
        for deviceID in down.keys { down[deviceID]?.isOld = true }
    }

    /// The broker knows none of the messages any more, so the bridge helps the device to finish them.
    mutating func orphanDeliveries(_ step: inout Step) {
        remapped = [:]
        for (deviceID, flow) in down.sorted(by: { $0.key < $1.key }) {
            down[deviceID]?.isOrphan = true
            switch flow.stage {
            case .answered, .completed: drop(deviceID)
            case .received: releaseOrphan(deviceID, &step)
            case .delivered, .releasing: break
            }
        }
    }
}
