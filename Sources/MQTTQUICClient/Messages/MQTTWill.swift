/// What the broker publishes for a client whose connection ends without a DISCONNECT (MQTT 5 3.1.2.5).
public struct MQTTWill: Sendable, Equatable {
    /// Its payload may have at most 65 535 bytes.
    public var message: MQTTMessage
    /// How long the broker waits for the client to come back first, in whole seconds. MQTT 5 only.
    public var delay: Duration

    public init(_ message: MQTTMessage, delay: Duration = .zero) {
        self.message = message
        self.delay = delay
    }
}
