import MQTTCodec

// What the device itself finds to be wrong.
extension Device {
    func giveUpSilence(since: Double, at now: Double) {
        let group = accounts.groups[number]
        if let trouble = accounts.troubles.excuse(.closed, group, from: since, to: now) {
            accounts.excused.add(group, "silent, not closed", trouble.kind.rawValue)
        } else if group == .direct {
            // The other side may have gone long before, and nothing tells one that sends nothing.
            accounts.excused.add(group, "silent, not closed", "without a bridge")
        } else {
            accounts.fault(.closed, device: number, at: now, "a silent device is still connected")
        }
        wire?.reset()
    }

    /// An acknowledgement that nothing waits for, which a trouble can make when both sides send again.
    func unexpected(_ ack: PublishAck, at now: Double) {
        let group = accounts.groups[number]
        if let trouble = accounts.troubles.excuse(.doubledQoS1, group, from: now, to: now) {
            accounts.excused.add(group, "acknowledgement of nothing", trouble.kind.rawValue)
        } else {
            accounts.fault(.protocolError, device: number, at: now, "acknowledgement of nothing: \(ack)")
        }
    }
}
