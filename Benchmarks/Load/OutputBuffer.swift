import NIOCore

/// The bytes that one connection is about to write. All connections of an event loop share it, because each flushes
/// what it has written before another one's turn. It is used again as soon as the socket has taken the bytes, so a
/// message costs no allocation.
final class OutputBuffer {
    private var bytes = ByteBufferAllocator().buffer(capacity: 4096)
    private var writer: Connection?

    /// How many bytes the connection has composed that are not taken.
    func count(of connection: Connection) -> Int { writer === connection ? bytes.readableBytes : 0 }

    /// Appends what `compose` writes. If another connection has not flushed its bytes, it does so first.
    func compose(for connection: Connection, _ compose: (inout ByteBuffer) -> Void) {
        if let writer, writer !== connection { writer.flush() }
        if writer == nil { bytes.clear() }
        writer = connection
        compose(&bytes)
    }

    /// What the connection has composed.
    func take(from connection: Connection) -> ByteBuffer {
        guard writer === connection else { return ByteBuffer() }
        writer = nil
        return bytes
    }

    /// Forgets what a connection has composed that has ended.
    func drop(_ connection: Connection) {
        if writer === connection { writer = nil }
    }
}
