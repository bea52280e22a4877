import NIOCore

/// Holds what a device sends while the handshake of its connection is still under way (0-RTT).
///
/// ```
///   nothing sent ── the first bytes, CONNECT: go out ──▶ under way ── anything else: held
///   under way ── the server did not take it ──▶ everything is held
///   any ── handshake completed ──▶ over: what was held goes out, in order
/// ```
/// An attacker who recorded early data can send it again (RFC 9001 9.2), which is why nothing but CONNECT goes out
/// early. What is held is bounded by the device's own limit, which counts ``bufferedBytes``.
package struct EarlyFlight: Sendable {
    /// One write of the device: bytes, and whether the end of its stream follows them.
    package struct Piece: Sendable, Equatable {
        /// What is written; `nil` if the stream only ends.
        package var bytes: ByteBuffer?
        /// Whether the device sends nothing more.
        package var fin: Bool

        package init(bytes: ByteBuffer?, fin: Bool = false) {
            self.bytes = bytes
            self.fin = fin
        }
    }

    private var first: ByteBuffer?
    private var held: [Piece] = []
    private var isRejected = false

    package init() {}

    /// Returns what goes out as early data now; `nil` if nothing does.
    package mutating func write(_ bytes: ByteBuffer?, fin: Bool) -> ByteBuffer? {
        guard first == nil, held.isEmpty, let bytes else {
            held.append(Piece(bytes: bytes, fin: fin))
            return nil
        }
        first = bytes
        if fin { held.append(Piece(bytes: nil, fin: true)) }
        return isRejected ? nil : bytes
    }

    /// The server did not accept the early data, or was given up, so everything has to be sent again.
    package mutating func rejected() {
        isRejected = true
    }

    /// The handshake has completed. Returns what to send now, in this order.
    package mutating func release() -> [Piece] {
        defer {
            first = nil
            held = []
        }
        guard isRejected, let first else { return held }
        return [Piece(bytes: first)] + held
    }

    /// How many bytes have been written.
    package var bufferedBytes: Int {
        held.reduce(first?.readableBytes ?? 0) { $0 + ($1.bytes?.readableBytes ?? 0) }
    }

    /// Whether what went out has to be sent again, on a new stream.
    package var needsNewStream: Bool { isRejected }
}
