/// A paho client of a driver. Its name is its client identifier unless `connect` says otherwise.
struct PahoClient: Sendable {
    let name: String
    let driver: PahoDriver
    let log: EventLog<PahoEvent>

    enum Payload: Sendable, ExpressibleByStringLiteral {
        case text(String)
        /// This many random-looking bytes.
        case size(Int)

        init(stringLiteral value: String) { self = .text(value) }

        var json: JSONValue {
            switch self {
            case .text(let text): ["text": .string(text)]
            case .size(let size): ["size": .int(size)]
            }
        }
    }

    init(_ name: String, _ driver: PahoDriver) async {
        self.name = name
        self.driver = driver
        log = await driver.log(of: name)
    }

    /// Connects and waits for the outcome: `connected` with the code of CONNACK, `connect_failed` or `disconnected`.
    func tryConnect(port: Int, _ fields: [String: JSONValue] = [:]) async throws -> PahoEvent {
        var all = fields
        all["port"] = .int(port)
        try driver.send("connect", to: name, all)
        return try await take("the outcome of connecting") {
            ["connected", "connect_failed", "disconnected"].contains($0.event)
        }
    }

    /// Connects, and throws unless the broker accepts the client.
    @discardableResult
    func connect(port: Int, _ fields: [String: JSONValue] = [:]) async throws -> PahoEvent {
        let event = try await tryConnect(port: port, fields)
        guard event.event == "connected", event.code == 0 else {
            throw HarnessError("\(name) was not accepted: \(event.event), \(event.reason ?? "")")
        }
        return event
    }

    /// Publishes and waits for the end of the handshake of its QoS. The returned event has the reason code;
    /// `startPublishing` returns the one that has the payload's `sha256`.
    @discardableResult
    func publish(
        _ topic: String, _ payload: Payload, qos: Int = 0, retain: Bool = false, properties: [String: JSONValue] = [:]
    ) async throws -> PahoEvent {
        let sent = try await startPublishing(topic, payload, qos: qos, retain: retain, properties: properties)
        return try await take("the acknowledgement of \(topic)") { $0.event == "published" && $0.id == sent.id }
    }

    /// Waits for the end of the handshake that `startPublishing` began.
    func acknowledged(_ sent: PahoEvent) async throws {
        _ = try await take("the acknowledgement") { $0.event == "published" && $0.id == sent.id }
    }

    /// Publishes without waiting for the acknowledgement.
    @discardableResult
    func startPublishing(
        _ topic: String, _ payload: Payload, qos: Int = 0, retain: Bool = false, properties: [String: JSONValue] = [:]
    ) async throws -> PahoEvent {
        try driver.send(
            "publish", to: name,
            [
                "topic": .string(topic), "payload": payload.json, "qos": .int(qos), "retain": .bool(retain),
                "properties": .object(properties),
            ])
        return try await take("the start of publishing \(topic)") { $0.event == "publishing" }
    }

    /// Subscribes, and returns the reason codes in SUBACK.
    @discardableResult
    func subscribe(_ filters: String..., qos: Int = 2, properties: [String: JSONValue] = [:]) async throws -> [Int] {
        let pairs = filters.map { JSONValue.array([.string($0), .int(qos)]) }
        try driver.send("subscribe", to: name, ["filters": .array(pairs), "properties": .object(properties)])
        let sent = try await take("the start of subscribing") { $0.event == "subscribing" }
        return try await take("SUBACK") { $0.event == "subscribed" && $0.id == sent.id }.codes ?? []
    }

    /// Unsubscribes, and returns the reason codes in UNSUBACK.
    @discardableResult
    func unsubscribe(_ filters: String...) async throws -> [Int] {
        try driver.send("unsubscribe", to: name, ["filters": .array(filters.map { .string($0) })])
        let sent = try await take("the start of unsubscribing") { $0.event == "unsubscribing" }
        return try await take("UNSUBACK") { $0.event == "unsubscribed" && $0.id == sent.id }.codes ?? []
    }

    /// Waits for the next message on any topic.
    func message() async throws -> PahoEvent {
        try await take("a message") { $0.event == "message" }
    }

    /// Waits for the next message on this topic.
    func message(on topic: String) async throws -> PahoEvent {
        try await take("a message on \(topic)") { $0.event == "message" && $0.topic == topic }
    }

    func disconnect(_ fields: [String: JSONValue] = [:]) async throws {
        try driver.send("disconnect", to: name, fields)
        _ = try await disconnected()
    }

    /// Ends the TCP connection without DISCONNECT.
    func vanish(hard: Bool = false) async throws {
        try driver.send("vanish", to: name, ["hard": .bool(hard)])
    }

    func disconnected() async throws -> PahoEvent {
        try await take("the end of the connection") { $0.event == "disconnected" }
    }

    private func take(
        _ what: String, where predicate: @escaping @Sendable (PahoEvent) -> Bool
    ) async throws -> PahoEvent {
        let event = try await log.take("\(what) at \(name)") { $0.event == "error" || predicate($0) }
        guard event.event != "error" else {
            throw HarnessError("paho at \(name): \(event.message ?? "")")
        }
        return event
    }
}
