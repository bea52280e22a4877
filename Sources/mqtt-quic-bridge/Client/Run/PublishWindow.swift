/// How much `pub -l` has on its way to the broker: a number of messages, and their bytes as the client counts them.
struct PublishWindow: Equatable, Sendable {
    let messages: Int
    let bytes: Int
    private(set) var count = 0
    private(set) var used = 0

    init(messages: Int, bytes: Int) {
        self.messages = messages
        self.bytes = bytes
    }

    /// Whether a message of this size may be sent now. One that is larger than the whole window may go alone.
    func hasRoom(for size: Int) -> Bool {
        count == 0 || (count < messages && used + size <= bytes)
    }

    mutating func sent(_ size: Int) {
        count += 1
        used += size
    }

    mutating func settled(_ size: Int) {
        count -= 1
        used -= size
    }
}
