import NIOCore

/// One direction of a session: whether a long PUBLISH is passing through in pieces, and what has to wait for its end.
///
/// What waits to go to the broker is bounded by the packets that the broker may have in flight: at most 65,535
/// acknowledgements of a few bytes. A device has no such bound, so nothing more is read from it while `isFull`.
struct PacketStream: Sendable {
    private var isStreaming = false
    /// Whether the payload of the present long PUBLISH is passed on, and not thrown away.
    private(set) var isForwarded = false
    private var deferred: [ByteBuffer] = []
    private var held: [ByteBuffer] = []
    private var heldPongs = 0
    /// How many of the bridge's own answers may wait for the end of a long PUBLISH.
    static let maximumHeld = 1_000
    /// How many answers to PINGREQ may wait. A device that has read none of that many does not wait for more.
    static let maximumPongs = 100

    /// Whether the direction is inside a packet, where nothing else may be put.
    var isInsidePacket: Bool { isStreaming && isForwarded }

    /// Whether so many answers wait that the device should not ask for more.
    var isFull: Bool { held.count >= Self.maximumHeld }

    mutating func begin(isForwarded: Bool, deferred: [ByteBuffer]) {
        self.isStreaming = true
        self.isForwarded = isForwarded
        self.deferred = deferred
    }

    /// Takes the replies to the sender of the long PUBLISH, which are due at its end.
    mutating func takeDeferred() -> [ByteBuffer] {
        defer { deferred = [] }
        return deferred
    }

    /// Ends the long PUBLISH, and returns what waited for that.
    mutating func end() -> [ByteBuffer] {
        isStreaming = false
        isForwarded = false
        heldPongs = 0
        defer { held = [] }
        return held
    }

    /// Returns true if the packet may go out now; if not, it is kept for ``end()``.
    mutating func sendOrHold(_ packet: ByteBuffer) -> Bool {
        guard isInsidePacket else { return true }
        held.append(packet)
        return false
    }

    /// Whether one more answer to PINGREQ may be sent, or may wait.
    mutating func takesPong() -> Bool {
        guard isInsidePacket else { return true }
        guard heldPongs < Self.maximumPongs else { return false }
        heldPongs += 1
        return true
    }
}
