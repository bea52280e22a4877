import MQTTCodec

// What the device sends.
extension Device {
    /// Seconds between two messages of a device.
    private static let interval = 2.0
    /// Messages that may wait for their acknowledgement; a device makes no more until then.
    private static let limit = 40

    /// A time at which the device may publish first, so that devices are spread.
    static func firstPublish(after time: Double) -> Double { time + Double.random(in: 0...interval) }

    func publish(at now: Double) {
        nextPublish = now + Self.interval * Double.random(in: 0.9...1.1)
        turn += 1
        let purpose: StreamID.Purpose = turn % 10 == 0 ? .retained : [.up0, .up1, .up2][turn % 3]
        guard purpose == .up0 || session.count < Self.limit else { return }
        let sequence = sequences[purpose, default: 0]
        sequences[purpose] = sequence + 1
        let message = Message(StreamID(device: number, purpose: purpose), sequence)
        if purpose == .up0 {
            accounts.messages.sent(message.stream, sequence, at: now)
            send(.publish(PublishHead(topic: message.topic), payload: message.payload), at: now)
        } else {
            session.enqueue(message)
            sendQueued(at: now)
        }
    }

    func sendQueued(at now: Double) {
        while let output = session.next() { perform(output, at: now) }
    }

    func perform(_ output: ClientState.Output, at now: Double) {
        switch output {
        case .publish(let message, let packetID, let isDuplicate):
            if isDuplicate {
                accounts.messages.resent(message.stream, message.sequence, at: now)
            } else {
                accounts.messages.sent(message.stream, message.sequence, at: now)
            }
            send(Packet(message, packetID: packetID, isDuplicate: isDuplicate), at: now)
        case .release(let packetID):
            send(.pubrel(PublishAck(packetID: packetID)), at: now)
        }
    }

    func send(_ packet: Packet, at now: Double) {
        wire?.send(packet, at: now)
    }
}
