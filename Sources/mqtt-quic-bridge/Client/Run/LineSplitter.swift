import NIOCore

/// Splits what is read from standard input into lines. A line is any bytes; its line break does not belong to it.
struct LineSplitter {
    struct TooLong: Error, Equatable {
        /// The line's number; the first is 1.
        var line: Int
    }

    /// In bytes, without the line break.
    let maximumLength: Int
    private var buffer = ByteBuffer()
    /// How many bytes of `buffer` have no line break in them.
    private var searched = 0
    private var count = 0

    init(maximumLength: Int) {
        self.maximumLength = maximumLength
    }

    /// Takes more bytes, which must be split by ``next()`` before further ones are taken: the buffer stays no longer than
    /// a line and one read.
    mutating func append(_ bytes: ByteBuffer) {
        var bytes = bytes
        buffer.discardReadBytes()
        buffer.writeBuffer(&bytes)
    }

    /// The next line; `nil` if more bytes are needed.
    mutating func next() throws(TooLong) -> ByteBuffer? {
        let view = buffer.readableBytesView.dropFirst(searched)
        guard let index = view.firstIndex(of: UInt8(ascii: "\n")) else {
            searched = buffer.readableBytes
            guard searched <= maximumLength else { throw TooLong(line: count + 1) }
            return nil
        }
        let length = index - buffer.readerIndex
        guard length <= maximumLength else { throw TooLong(line: count + 1) }
        let line = buffer.readSlice(length: length)
        buffer.moveReaderIndex(forwardBy: 1)
        searched = 0
        count += 1
        return line
    }

    /// What follows the last line break, if anything does.
    mutating func rest() -> ByteBuffer? {
        buffer.readableBytes > 0 ? buffer.readSlice(length: buffer.readableBytes) : nil
    }
}
