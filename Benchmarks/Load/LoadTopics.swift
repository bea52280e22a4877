import MQTTCodec
import NIOCore

/// The topics, client identifiers and fixed packets of a run.
struct LoadTopics {
    private let options: LoadOptions
    private let padding: ByteBuffer
    let receiverConnect: ByteBuffer
    let receiverSubscribe: ByteBuffer
    let publisherConnect: ByteBuffer
    let disconnect: ByteBuffer

    /// - Throws: If an option cannot be encoded, for example a user name of more than 65 535 bytes.
    init(_ options: LoadOptions) throws(MQTTError) {
        self.options = options
        padding = ByteBuffer(repeating: UInt8(ascii: "x"), count: options.payloadLength - Stamp.length)
        let (version, topic) = (options.version, options.topic)
        // The broker's side sends no pings, and may have nothing to say during an outage.
        func connect(_ name: String) throws(MQTTError) -> ByteBuffer {
            try Self.connect(options, clientID: "\(topic)-\(name)", isPersistent: false, keepAlive: 0).encode()
        }
        receiverConnect = try connect("receiver")
        publisherConnect = try connect("publisher")
        receiverSubscribe = try Subscribe(packetID: .max, subscriptions: [Subscription(filter: "\(topic)/up/+")])
            .encode(version: version)
        disconnect = try Packet.disconnect(Disconnect()).encode(version: version)
        // Everything that is encoded later differs only in the device's number, so that it cannot fail then.
        _ = try template(to: commandTopic(.max))
        _ = try Self.connect(options, clientID: "\(topic)-\(UInt32.max)", isPersistent: true, keepAlive: 0).encode()
    }

    func connect(forDevice number: UInt32) -> ByteBuffer {
        let connect = Self.connect(
            options, clientID: "\(options.topic)-\(number)", isPersistent: options.isPersistent,
            keepAlive: options.keepAlive)
        return (try? connect.encode()) ?? ByteBuffer()
    }

    func subscribe(forDevice number: UInt32) -> ByteBuffer {
        var filters = [commandTopic(number)]
        if case .fanOut = options.traffic { filters = [fanOutTopic] }
        let subscribe = Subscribe(
            packetID: .max, subscriptions: filters.map { Subscription(filter: $0, qos: options.qos) })
        return (try? subscribe.encode(version: options.version)) ?? ByteBuffer()
    }

    /// `nil` if devices publish nothing.
    func template(forDevice number: UInt32) -> PublishTemplate? {
        switch options.traffic {
        case .steady, .saturation: try? template(to: "\(options.topic)/up/\(number)")
        case .fanOut, .idle: nil
        }
    }

    func commandTemplate(forDevice number: UInt32) -> PublishTemplate? { try? template(to: commandTopic(number)) }

    var fanOutTemplate: PublishTemplate? { try? template(to: fanOutTopic) }

    private func commandTopic(_ number: UInt32) -> String { "\(options.topic)/cmd/\(number)" }

    private var fanOutTopic: String { "\(options.topic)/all" }

    private func template(to topic: String) throws(MQTTError) -> PublishTemplate {
        try PublishTemplate(topic: topic, qos: options.qos, version: options.version, padding: padding)
    }

    private static func connect(
        _ options: LoadOptions, clientID: String, isPersistent: Bool, keepAlive: UInt16
    ) -> Connect {
        var connect = Connect(
            version: options.version, cleanStart: !isPersistent, keepAlive: keepAlive, clientID: clientID,
            username: options.username, password: options.password.map { ByteBuffer(string: $0) })
        // A session that is to outlast its connection needs a lifetime in MQTT 5 (3.1.2.11.2).
        if isPersistent, options.version.hasProperties { connect.properties = [.sessionExpiryInterval(3600)] }
        return connect
    }
}
