import NIOCore

/// One direction of a session: whether a long PUBLISH is passing through in pieces, and what has to wait for its end.
///
/// What is held for the broker is bounded by the packets that it may have in flight: at most 65,535 acknowledgements of a
/// few bytes. A device is not held to any such number: nothing more is taken from it while `isFull`.
struct PacketStream: Sendable {
    private var isStreaming = false
    /// Whether the payload of the present long PUBLISH goes on, or is thrown away.
    private(set) var isForwarded = false
    private var deferred: [ByteBuffer] = []
    private var held: [ByteBuffer] = []
    private var heldPongs = 0
    /// How many of our own answers may wait for the end of a long PUBLISH.
    static let maximumHeld = 1_000
    /// A device that has asked for more, and read none of them, does not wait for any.
    static let maximumPongs = 100

    /// A packet cannot be put here without damaging the one that is under way.
    var isInsidePacket: Bool { isStreaming && isForwarded }

    /// So many answers wait that no more should be asked for.
    var isFull: Bool { held.count >= Self.maximumHeld }

    mutating func begin(isForwarded: Bool, deferred: [ByteBuffer]) {
        self.isStreaming = true
        self.isForwarded = isForwarded
        self.deferred = deferred
    }

    /// The replies to the sender of the long PUBLISH, due at its end.
    mutating func takeDeferred() -> [ByteBuffer] {
        defer { deferred = [] }
        return deferred
    }

    /// Ends the long PUBLISH; answers what waited for it.
    mutating func end() -> [ByteBuffer] {
        isStreaming = false
        isForwarded = false
        heldPongs = 0
        defer { held = [] }
        return held
    }

    /// True where the packet may go out now; else it is kept for ``end()``.
    mutating func sendOrHold(_ packet: ByteBuffer) -> Bool {
        guard isInsidePacket else { return true }
        held.append(packet)
        return false
    }

    /// Whether one more answer to PINGREQ is to be sent, or to wait.
    mutating func takesPong() -> Bool {
        guard isInsidePacket else { return true }
        guard heldPongs < Self.maximumPongs else { return false }
        heldPongs += 1
        return true
    }
}
