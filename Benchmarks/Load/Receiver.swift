import MQTTCodec

/// The receiving end at the broker: it subscribes to what all devices publish. Its connection must last for the run.
final class Receiver: LoadClient {
    private unowned let run: LoadRun
    private var connection: Connection?

    init(run: LoadRun) {
        self.run = run
    }

    func connect() {
        run.receiverConnector.connect(self) { [weak self] connection in
            guard let self else { return connection?.close(isSilent: true) ?? () }
            guard let connection else { return self.run.fail(.receiver("cannot reach the broker")) }
            self.connection = connection
            connection.write(self.run.topics.receiverConnect)
            connection.flush()
        }
    }

    func accepted(_ connack: Connack, at now: Int64) {
        guard connack.code == 0 else {
            return run.fail(.receiver("the broker refuses it with code \(connack.code)"))
        }
        connection?.write(run.topics.receiverSubscribe)
    }

    func subscribed(_ suback: Suback) {
        guard suback.codes.allSatisfy({ $0 < 0x80 }) else {
            return run.fail(.receiver("the broker refuses the subscription"))
        }
        run.receiverReady()
    }

    func arrived(_ stamp: Stamp, at now: Int64) {
        guard stamp.run == run.identifier, stamp.kind == .publish, Int(stamp.device) < run.devices.count else { return }
        run.devices[Int(stamp.device)].messageArrived(stamp, at: now)
    }

    func acknowledged(_ packetID: UInt16, at now: Int64) {}

    func becameWritable() {}

    func failed(_ reason: String) { run.fail(.receiver(reason)) }

    func closed(_ connection: Connection) { run.fail(.receiver("it was closed")) }

    func end() {
        connection?.write(run.topics.disconnect)
        connection?.flush()
        connection?.close(isSilent: true)
        connection = nil
    }
}
