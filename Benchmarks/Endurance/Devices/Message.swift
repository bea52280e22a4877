import NIOCore

/// What a message of the run is, and how its payload says that.
package struct Message: Sendable, Equatable {
    package let stream: StreamID
    package let sequence: Int
    /// Bytes of payload.
    package let length: Int

    package init(_ stream: StreamID, _ sequence: Int, length: Int = 100) {
        self.stream = stream
        self.sequence = sequence
        self.length = length
    }

    private static let mark: UInt32 = 0x454E_4452
    private static let headLength = 17
    private static let filler: UInt8 = 0x78

    package var payload: ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: max(length, Self.headLength))
        bytes.writeMultipleIntegers(
            Self.mark, UInt32(truncatingIfNeeded: stream.device), stream.purpose.rawValue,
            UInt32(truncatingIfNeeded: sequence), UInt32(truncatingIfNeeded: length))
        if length > Self.headLength { bytes.writeRepeatingByte(Self.filler, count: length - Self.headLength) }
        return bytes
    }

    /// - Returns: `nil` if a payload is none of this run, or has been damaged.
    package init?(payload: ByteBuffer) {
        var bytes = payload
        guard
            let (mark, device, purpose, sequence, length) = bytes.readMultipleIntegers(
                as: (UInt32, UInt32, UInt8, UInt32, UInt32).self),
            mark == Self.mark, let purpose = StreamID.Purpose(rawValue: purpose),
            max(Int(length), Self.headLength) == payload.readableBytes,
            bytes.readableBytesView.allSatisfy({ $0 == Self.filler })
        else { return nil }
        stream = StreamID(device: Int(device), purpose: purpose)
        self.sequence = Int(sequence)
        self.length = Int(length)
    }

    /// Where the message is published.
    package var topic: String { Self.topic(stream) }

    package static func topic(_ stream: StreamID) -> String {
        switch stream.purpose {
        case .up0, .up1, .up2: "e/\(stream.device)/\(stream.purpose.qos)"
        case .retained: "r/\(stream.device)"
        case .down1, .down2: "c/\(stream.device)"
        case .online, .will: "s/\(stream.device)"
        }
    }

    package var isRetained: Bool {
        switch stream.purpose {
        case .retained, .online, .will: true
        case .up0, .up1, .up2, .down1, .down2: false
        }
    }
}
