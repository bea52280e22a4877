import MQTTCodec
import NIOCore

/// A packet that is kept for long. It uses memory of about its own size, whatever it was sliced from.
struct KeptPacket: Sendable {
    private(set) var first: ByteBuffer
    /// Further pieces, if a long PUBLISH came in pieces.
    private(set) var rest: [ByteBuffer] = []
    private(set) var length: Int
    /// When it is a message that is of no use any more.
    let expires: NIODeadline

    /// What a packet costs besides its bytes: about the size of its entry here, and the header of its storage.
    static let overhead = 128

    init(_ bytes: ByteBuffer, expires: NIODeadline = .distantFuture) {
        first = bytes.compacted
        length = bytes.readableBytes
        self.expires = expires
    }

    /// One packet that is in several buffers.
    init(joining buffers: BufferList, expires: NIODeadline = .distantFuture) {
        guard buffers.count > 1 else {
            self.init(buffers.first ?? ByteBuffer(), expires: expires)
            return
        }
        var whole = ByteBufferAllocator().buffer(capacity: buffers.byteCount)
        for buffer in buffers { whole.writeImmutableBuffer(buffer) }
        self.init(whole, expires: expires)
    }

    mutating func append(_ piece: ByteBuffer) {
        guard piece.readableBytes > 0 else { return }
        rest.join(piece)
        length += piece.readableBytes
    }

    /// Bytes of memory that the packet costs.
    var cost: Int { length + Self.overhead }

    var buffers: BufferList {
        var buffers = BufferList(first)
        buffers += rest
        return buffers
    }

    /// Leaves of a message's time what is left of it, rounded up to seconds, and not less than one.
    mutating func age(to now: @autoclosure () -> NIODeadline) {
        guard expires < .distantFuture, let field = MessageExpiryField(in: first) else { return }
        let left = UInt32(clamping: max(1, ((expires - now()).nanoseconds + 999_999_999) / 1_000_000_000))
        if left < field.interval { field.set(left, in: &first) }
    }

    /// Whether a message's time is over.
    func isExpired(at now: @autoclosure () -> NIODeadline) -> Bool {
        expires < .distantFuture && expires <= now()
    }

    /// The QoS in the fixed header of a PUBLISH.
    var qos: QoS? {
        first.getInteger(at: first.readerIndex, as: UInt8.self).flatMap { QoS(rawValue: $0 >> 1 & 0b11) }
    }

    /// Sets or clears DUP of a PUBLISH.
    mutating func mark(duplicate: Bool) {
        guard let byte = first.getInteger(at: first.readerIndex, as: UInt8.self) else { return }
        first.setInteger(duplicate ? byte | 0b1000 : byte & 0b1111_0111, at: first.readerIndex)
    }
}

extension [ByteBuffer] {
    /// Adds a piece of a packet, to the last one if the two are short: a buffer of its own takes 200 bytes besides.
    mutating func join(_ piece: ByteBuffer) {
        guard let last = indices.last, self[last].readableBytes + piece.readableBytes <= Burst.longest else {
            return append(piece.compacted)
        }
        self[last].writeImmutableBuffer(piece)
    }
}

extension ByteBuffer {
    /// The same bytes in storage that is at most twice as large: a slice keeps everything that it was cut from.
    var compacted: ByteBuffer {
        guard storageCapacity > 2 * readableBytes else { return self }
        var copy = ByteBufferAllocator().buffer(capacity: readableBytes)
        copy.writeImmutableBuffer(self)
        return copy
    }
}
