import MQTTCodec

/// The sending end at the broker: it publishes commands to one device after the other, or messages to all devices. Its
/// connection must last for the run.
final class Publisher: LoadClient {
    private unowned let run: LoadRun
    private var connection: Connection?
    private var fanOutTemplate: PublishTemplate?
    private var nextPacketID: UInt16 = 0
    /// When each fan-out message was due, by packet identifier: only that many can be unacknowledged.
    private var due: [UInt16: Int64] = [:]
    private static let unacknowledgedLimit = 10_000
    /// How many messages were published.
    private(set) var published: UInt32 = 0

    init(run: LoadRun) {
        self.run = run
        if case .fanOut = run.options.traffic { fanOutTemplate = run.topics.fanOutTemplate }
    }

    func connect() {
        run.receiverConnector.connect(self) { [weak self] connection in
            guard let self else { return connection?.close(isSilent: true) ?? () }
            guard let connection else { return self.run.fail(.receiver("the publisher cannot reach the broker")) }
            self.connection = connection
            connection.write(self.run.topics.publisherConnect)
            connection.flush()
        }
    }

    func accepted(_ connack: Connack, at now: Int64) {
        guard connack.code == 0 else {
            return run.fail(.receiver("the broker refuses the publisher with code \(connack.code)"))
        }
        run.publisherReady()
    }

    /// Publishes one message, and flushes it.
    func publish(due: Int64) {
        let sequence = published
        published += 1
        guard let connection, connection.canWrite, self.due.count < Self.unacknowledgedLimit else {
            if fanOutTemplate != nil { run.tally.unsent += run.devices.count }
            return
        }
        nextPacketID = nextPacketID % 60_000 + 1
        let packetID = nextPacketID
        if let fanOutTemplate {
            if run.options.qos == .atLeastOnce { self.due[packetID] = due }
            let stamp = Stamp(kind: .fanOut, due: due, run: run.identifier, device: .max, sequence: sequence)
            connection.write { fanOutTemplate.write(stamp, packetID: packetID, to: &$0) }
        } else {
            let device = sequence % UInt32(run.devices.count)
            let stamp = Stamp(kind: .command, due: due, run: run.identifier, device: device, sequence: sequence)
            let template = run.topics.commandTemplate(forDevice: device)
            connection.write { template?.write(stamp, packetID: packetID, to: &$0) }
        }
        connection.flush()
    }

    func acknowledged(_ packetID: UInt16, at now: Int64) {
        guard let due = due.removeValue(forKey: packetID) else { return }
        if run.window.contains(due) { run.tally.acknowledged.record(now - due) }
    }

    func subscribed(_ suback: Suback) {}

    func arrived(_ stamp: Stamp, at now: Int64) {}

    func becameWritable() {}

    func failed(_ reason: String) { run.fail(.receiver(reason)) }

    func closed(_ connection: Connection) { run.fail(.receiver("the publisher's was closed")) }

    func end() {
        connection?.write(run.topics.disconnect)
        connection?.flush()
        connection?.close(isSilent: true)
        connection = nil
    }
}
