import NIOCore

/// An integer of one to four bytes with seven bits each, the lowest bits first (MQTT 5 1.5.5).
enum VariableByteInteger {
    static let maximum = 268_435_455

    enum Reading: Equatable {
        case incomplete
        case value(Int, length: Int)
        /// The fourth byte says that a fifth follows.
        case tooLong
    }

    /// Reads the integer that begins at the absolute `index` of `buffer`.
    static func read(_ buffer: ByteBuffer, at index: Int) -> Reading {
        buffer.withUnsafeReadableBytes { read($0, at: index - buffer.readerIndex) }
    }

    /// Reads the integer that begins at that index.
    static func read(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Reading {
        var value = 0
        for position in 0..<4 {
            guard index + position < bytes.count else { return .incomplete }
            let byte = bytes[index + position]
            value |= Int(byte & 0x7F) << (7 * position)
            if byte & 0x80 == 0 { return .value(value, length: position + 1) }
        }
        return .tooLong
    }

    /// The length of the shortest encoding in bytes.
    /// - Precondition: `value` is within `0...maximum`.
    static func encodedLength(_ value: Int) -> Int {
        switch value {
        case ..<0x80: 1
        case ..<0x4000: 2
        case ..<0x20_0000: 3
        default: 4
        }
    }

    /// - Precondition: `value` is within `0...maximum`.
    static func write(_ value: Int, to buffer: inout ByteBuffer) {
        let end = set(value, at: buffer.writerIndex, in: &buffer)
        buffer.moveWriterIndex(to: end)
    }

    /// Writes into the buffer from the absolute `index` on, and returns the index behind the last byte.
    /// - Precondition: `value` is within `0...maximum`.
    @discardableResult
    static func set(_ value: Int, at index: Int, in buffer: inout ByteBuffer) -> Int {
        precondition((0...maximum).contains(value), "a length is checked before it is written")
        var (rest, index) = (value, index)
        repeat {
            let byte = UInt8(rest & 0x7F)
            rest >>= 7
            index += buffer.setInteger(rest == 0 ? byte : byte | 0x80, at: index)
        } while rest > 0
        return index
    }
}
