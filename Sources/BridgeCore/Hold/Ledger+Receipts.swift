import MQTTCodec

// Receipts for messages that a route has lowered to QoS 0, and that wait. The device forgets a message once it has the
// receipt, so it gets none for a message that may still be lost here.
extension Ledger {
    /// The message has gone out, or its time is over.
    mutating func give(_ receipt: Receipt?, _ step: inout Step) {
        guard let receipt else { return }
        step.down.append(acknowledgement(receipt.isExactlyOnce ? .pubrec : .puback, receipt.packetID))
        if receipt.isReleased { step.down.append(acknowledgement(.pubcomp, receipt.packetID)) }
    }

    /// Whether the message of a receipt still waits. The device repeats it then, or has sent its PUBREL without waiting for
    /// PUBREC: it gets everything in its order, once the message has gone out.
    mutating func joins(_ receipt: Receipt) -> Bool {
        if tail?.receipt?.isSame(as: receipt) == true {
            if receipt.isReleased { tail?.receipt?.isReleased = true }
            return true
        }
        let isSame = { (outgoing: Outgoing) in outgoing.receipt?.isSame(as: receipt) == true }
        return queue.changeFirst(where: isSame) { if receipt.isReleased { $0.receipt?.isReleased = true } }
    }

    /// Nothing that waits goes out any more.
    mutating func dropReceipts() {
        queue.changeAll { $0.receipt = nil }
        long?.receipt = nil
        tail?.receipt = nil
    }
}

extension Receipt {
    fileprivate func isSame(as other: Receipt) -> Bool {
        packetID == other.packetID && isExactlyOnce == other.isExactlyOnce
    }
}

extension Outgoing {
    /// Whether the packet may be dropped when the device's room is full (`hold_qos0: drop-oldest`).
    var makesRoom: Bool { kind == .atMostOnce && receipt == nil }
}
