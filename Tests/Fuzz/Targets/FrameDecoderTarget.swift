import MQTTCodec
import NIOCore
import TestSupport

/// A byte stream gives the same packets however it is cut, and the decoder keeps no more of it than it says.
///
/// The first four bytes choose the version, the reading and the limits, and the next one the cuts.
package enum FrameDecoderTarget: FuzzTarget {
    package static let name = "frame-decoder"
    package static let summary = "MQTT bytes in any pieces give the same packets"
    package static let maximumLength = 2048
    package static let seeds = SamplePackets.streams.enumerated().map { index, sample in
        [UInt8(sample.version.rawValue - 3), UInt8(index % 4), UInt8(index % 3 * 40), 255, UInt8(index)] + sample.bytes
    }

    package static func run(_ input: [UInt8]) throws {
        var choices = Choices(bytes: input)
        let settings = Settings(&choices)
        let cuts = UInt64(choices.byte())
        let bytes = choices.rest()
        let whole = try decode([bytes[...]], settings)
        for pieces in [pieces(bytes, seed: cuts), bytes.indices.map { bytes[$0...$0] }] {
            let other = try decode(pieces, settings)
            try require(other == whole, "in \(pieces.count) pieces: \(other), as a whole: \(whole)")
        }
    }

    private struct Settings {
        let version: MQTTVersion?
        let reading: Reading
        let threshold: Int
        let maximumBuffered: Int

        init(_ choices: inout Choices) {
            let versions: [MQTTVersion?] = [.v3_1, .v3_1_1, .v5_0, nil]
            let readings: [Reading] = [.strict, .lenientMessages, .lenient, .framesOnly]
            version = versions[Int(choices.byte() & 3)]
            reading = readings[Int(choices.byte() & 3)]
            threshold = Int(choices.byte())
            maximumBuffered = 16 + 4 * Int(choices.byte())
        }
    }

    /// What came out. Pieces of one payload are joined, because they may be cut anywhere, and so is a head that was not
    /// read.
    private struct Output: Equatable {
        var elements: [FrameDecoder.Element] = []
        var error: String?
        var payload = ByteBuffer()
        var isInPayload = false
    }

    private static func decode(_ pieces: [ArraySlice<UInt8>], _ settings: Settings) throws -> Output {
        var decoder = FrameDecoder(
            maximumPacketSize: 1_048_576, streamingThreshold: settings.threshold,
            maximumBufferedSize: settings.maximumBuffered, reading: settings.reading)
        decoder.version = settings.version
        var output = Output()
        for piece in pieces where output.error == nil {
            decoder.append(ByteBuffer(bytes: piece))
            do {
                while let element = try decoder.next() {
                    try take(element, &output)
                    if decoder.version == nil { decoder.version = .v5_0 }
                }
                try checkBounds(decoder, settings)
            } catch let error as MQTTError {
                output.error = "\(error)"
                try require(
                    decoder.bufferedBytes == 0 && decoder.retainedCapacity == 0, "bytes are kept after an error")
            }
        }
        return output
    }

    private static func take(_ element: FrameDecoder.Element, _ output: inout Output) throws {
        switch element {
        case .packet(let frame):
            try require(!output.isInPayload, "a packet within a payload")
            output.elements.append(.packet(frame))
        case .publishBegin:
            output.elements.append(element)
            output.isInPayload = true
        case .unreadBegin(let publish):
            output.payload = publish.start
            output.isInPayload = true
        case .payload(let piece, let isLast):
            try require(output.isInPayload, "a payload without its head")
            output.payload.writeImmutableBuffer(piece)
            guard isLast else { return }
            output.isInPayload = false
            output.elements.append(.payload(output.payload, isLast: true))
            output.payload = ByteBuffer()
        }
    }

    private static func checkBounds(_ decoder: FrameDecoder, _ settings: Settings) throws {
        let limit = max(settings.threshold, settings.maximumBuffered, 6)
        try require(decoder.isDrained, "a decoder that has nothing to say is not drained")
        try require(decoder.bufferedBytes < limit, "\(decoder.bufferedBytes) bytes are kept, of \(limit)")
        try require(
            decoder.retainedCapacity <= max(256, 2 * decoder.bufferedBytes),
            "\(decoder.retainedCapacity) bytes are retained for \(decoder.bufferedBytes)")
    }

    private static func pieces(_ bytes: [UInt8], seed: UInt64) -> [ArraySlice<UInt8>] {
        var random = SplitMix64(seed: seed)
        var pieces: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            pieces.append(rest.prefix(Int.random(in: 1...40, using: &random)))
            rest = rest.dropFirst(pieces[pieces.count - 1].count)
        }
        return pieces
    }
}
