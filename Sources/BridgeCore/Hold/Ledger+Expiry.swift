import MQTTCodec
import NIOCore

// Messages of the device whose Message Expiry Interval ends while they wait (MQTT 5 3.3.2.3.3).
extension Ledger {
    /// Whether a packet must not be sent any more. One that the broker may have from an earlier leg is sent again in any
    /// case, because the protocol goes on with it [MQTT-4.3.3-7].
    func isExpired(_ outgoing: Outgoing) -> Bool {
        !outgoing.wasSent && outgoing.packet.isExpired(at: policy.now())
    }

    /// A message is dropped instead of sent, as a broker does with one that it could not pass on in time [MQTT-3.3.2-5].
    /// The device is told what a broker that has accepted the message would tell it.
    mutating func expire(_ outgoing: Outgoing, _ step: inout Step) {
        share.giveBack(outgoing.packet.cost)
        step.expired += 1
        give(outgoing.receipt, &step)
        guard outgoing.kind == .publish else { return }
        let packetID = outgoing.packetID
        let flow = up[packetID] ?? UpFlow(sequence: sequence, stage: .waiting)
        // If the device has used the identifier twice, the other packet's answer counts for both.
        guard flow.stage == .waiting else { return }
        if outgoing.packet.qos == .exactlyOnce {
            if !flow.isReceiptTold { step.down.append(acknowledgement(.pubrec, packetID)) }
            bringToItsEnd(packetID, flow, &step)
        } else {
            forget(packetID)
            step.down.append(acknowledgement(.puback, packetID))
        }
    }
}
