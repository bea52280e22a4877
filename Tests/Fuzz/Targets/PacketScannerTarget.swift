import MQTTCodec
import NIOCore
import TestSupport

/// The scanner, which only counts bytes, sees the same packets as the decoder, and the cuts make no difference to it.
///
/// The first byte chooses the cuts; the rest is a stream.
package enum PacketScannerTarget: FuzzTarget {
    package static let name = "packet-scanner"
    package static let summary = "PacketScanner and the decoder see the same packets"
    package static let maximumLength = 1024
    package static let seeds = SamplePackets.streams.map { [1] + $0.bytes }

    package static func run(_ input: [UInt8]) throws {
        var choices = Choices(bytes: input)
        let cut = 1 + Int(choices.byte())
        let bytes = choices.rest()
        var scanner = PacketScanner()
        scanner.scan(ByteBuffer(bytes: bytes))
        try compare(scanner, after: bytes, cut: cut)
        try compareWithDecoder(bytes)
    }

    private static func compare(_ whole: PacketScanner, after bytes: [UInt8], cut: Int) throws {
        var scanner = PacketScanner()
        var rest = ByteBuffer(bytes: bytes)
        while rest.readableBytes > 0 {
            guard var piece = rest.readSlice(length: min(cut, rest.readableBytes)) else { break }
            while piece.readableBytes > 0 {
                let count = scanner.scan(piece, stopsAtBoundary: true)
                try require(count > 0, "no byte is followed")
                try require(
                    count == piece.readableBytes || scanner.isAtBoundary, "it stops where no packet ends")
                piece.moveReaderIndex(forwardBy: count)
            }
        }
        try require("\(scanner)" == "\(whole)", "in pieces of \(cut): \(scanner), as a whole: \(whole)")
    }

    /// With the most lenient decoder, which refuses only what the scanner cannot follow either, and what is not there.
    private static func compareWithDecoder(_ bytes: [UInt8]) throws {
        var decoder = FrameDecoder(
            maximumPacketSize: .max, streamingThreshold: .max, maximumBufferedSize: .max, reading: .framesOnly)
        decoder.version = .v5_0
        decoder.append(ByteBuffer(bytes: bytes))
        var scanner = PacketScanner()
        var rest = ByteBuffer(bytes: bytes)
        var messages: UInt32 = 0
        while let element = try? decoder.next() {
            guard case .packet(let frame) = element else { throw FuzzFailure("\(element) is streamed") }
            if frame.type == .publish { messages += 1 }
            let length = scanner.scan(rest, stopsAtBoundary: true)
            try require(
                length == frame.bytes.readableBytes && scanner.isAtBoundary,
                "\(frame) ends after \(length) bytes for the scanner")
            try require(scanner.hasSeen(frame.type), "\(frame) is not seen")
            try require(scanner.messages == messages, "\(scanner.messages) messages, not \(messages)")
            if scanner.firstLength == nil { throw FuzzFailure("the first packet has no length") }
            rest.moveReaderIndex(forwardBy: length)
        }
        if case .connect? = firstPacket(bytes) {
            var first = PacketScanner()
            first.scan(ByteBuffer(bytes: bytes))
            try require([3, 4, 5].contains(first.protocolLevel), "a CONNECT of the level \(first.protocolLevel ?? 0)")
        }
    }

    private static func firstPacket(_ bytes: [UInt8]) -> Packet? {
        var decoder = FrameDecoder(maximumPacketSize: 1_048_576, maximumBufferedSize: 1_048_576)
        decoder.append(ByteBuffer(bytes: bytes))
        guard case .packet(let frame)? = try? decoder.next() else { return nil }
        return try? Packet.decode(frame, version: .v5_0)
    }
}
