import NIOCore

/// Follows a byte stream from fixed header to fixed header. It knows where packets end, which types have passed, and
/// how the first packet begins. It keeps and copies no bytes.
///
/// ```
///   ┌──▶ boundary ── first byte ──▶ length ── known ──▶ body ──┐
///   └──────────────────────── last byte ◀─────────────────────┘
///   length ── a fifth byte ──▶ lost: nothing is known any more
/// ```
/// It checks nothing, because the receiver judges what passes.
package struct PacketScanner: Sendable {
    private enum State: Sendable {
        case boundary
        case length(first: UInt8, value: Int, bytes: Int)
        case body(first: UInt8, remaining: Int)
        case lost
    }

    private var state = State.boundary
    /// A bit for each packet type that has passed completely.
    private var seen: UInt16 = 0
    private var first = FirstPacket()
    /// How many PUBLISH packets have passed completely; wraps around.
    package private(set) var messages: UInt32 = 0

    package init() {}

    /// Whether no packet is under way.
    package var isAtBoundary: Bool {
        if case .boundary = state { true } else { false }
    }

    /// How many bytes the packet under way still lacks; 0 between packets, and while its length is not known.
    package var missingBytes: Int {
        if case .body(_, let remaining) = state { remaining } else { 0 }
    }

    /// Whether a packet of the type has passed completely.
    package func hasSeen(_ type: PacketType) -> Bool {
        seen & Self.bit(type.rawValue) != 0
    }

    /// Whether any packet has passed completely.
    package var hasSeenPacket: Bool { seen != 0 }

    /// The stream's very first byte, which has the type and flags of the first packet.
    package var firstByte: UInt8? { first.byte }

    /// The length in bytes of the first packet with its fixed header; `nil` until it is known.
    package var firstLength: Int? { first.length }

    /// The protocol level in the first packet if that is a CONNECT, without the bit that mosquitto's bridges set: 3, 4,
    /// 5, or one that does not exist. `nil` until it is known.
    package var protocolLevel: UInt8? { first.level.map { $0 & 0x7F } }

    /// Follows the bytes, or with `stopsAtBoundary` only those up to the first end of a packet.
    /// - Returns: How many bytes were followed.
    @discardableResult
    package mutating func scan(_ bytes: ByteBuffer, stopsAtBoundary: Bool = false) -> Int {
        bytes.withUnsafeReadableBytes { bytes in
            var index = 0
            while index < bytes.count {
                index += step(UnsafeRawBufferPointer(rebasing: bytes[index...]))
                if stopsAtBoundary, isAtBoundary { break }
            }
            return index
        }
    }

    /// Follows one part of a packet. `bytes` must not be empty.
    /// - Returns: How many bytes the part has.
    private mutating func step(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch state {
        case .boundary:
            if first.byte == nil { first.byte = bytes[0] }
            state = .length(first: bytes[0], value: 0, bytes: 0)
            return 1
        case .length(let type, let value, let count):
            readLength(bytes[0], type, value, count)
            return 1
        case .body(let type, let remaining):
            let count = min(remaining, bytes.count)
            if !hasSeenPacket { first.read(UnsafeRawBufferPointer(rebasing: bytes[..<count])) }
            if count == remaining { end(type) } else { state = .body(first: type, remaining: remaining - count) }
            return count
        case .lost:
            return bytes.count
        }
    }

    private mutating func readLength(_ byte: UInt8, _ type: UInt8, _ value: Int, _ count: Int) {
        let value = value | Int(byte & 0x7F) << (7 * count)
        guard byte & 0x80 == 0 else {
            state = count < 3 ? .length(first: type, value: value, bytes: count + 1) : .lost
            return
        }
        if !hasSeenPacket { first.length = 2 + count + value }
        if value == 0 { end(type) } else { state = .body(first: type, remaining: value) }
    }

    private mutating func end(_ type: UInt8) {
        seen |= Self.bit(type >> 4)
        if type >> 4 == PacketType.publish.rawValue { messages &+= 1 }
        state = .boundary
    }

    private static func bit(_ type: UInt8) -> UInt16 { 1 << UInt16(type & 0x0F) }

    /// What is known of the first packet. A packet of type 0 is not recorded, which does not matter because it is
    /// refused.
    private struct FirstPacket {
        var byte: UInt8?
        var length: Int?
        var level: UInt8?
        /// How many bytes of the body were read, up to the protocol level.
        private var position = 0
        private var nameLength = 0

        mutating func read(_ body: UnsafeRawBufferPointer) {
            guard level == nil, let byte, byte >> 4 == PacketType.connect.rawValue else { return }
            for value in body {
                switch position {
                case 0: nameLength = Int(value) << 8
                case 1: nameLength |= Int(value)
                case 2 + nameLength: level = value
                default: break
                }
                if level != nil { return }
                position += 1
            }
        }
    }
}
