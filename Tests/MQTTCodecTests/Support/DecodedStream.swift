import NIOCore
import Testing

@testable import MQTTCodec

/// Everything that a decoder puts out, parsed completely, and the error with which it stopped.
///
/// A streamed PUBLISH is joined again, so that it equals one that came as a whole.
struct DecodedStream: Equatable {
    private(set) var packets: [Packet] = []
    private(set) var error: MQTTError?
    private(set) var streamedPublishes = 0
    private var begun: StreamedPublish?
    private var payload = ByteBuffer()

    /// - Parameter version: `nil` if the first packet is CONNECT, which has it.
    init(
        _ pieces: some Sequence<ByteBuffer>, version: MQTTVersion?, maximumPacketSize: Int = 1 << 20,
        streamingThreshold: Int = 1 << 16, maximumBufferedSize: Int = 1 << 20
    ) {
        var decoder = FrameDecoder(
            maximumPacketSize: maximumPacketSize, streamingThreshold: streamingThreshold,
            maximumBufferedSize: maximumBufferedSize)
        decoder.version = version
        do throws(MQTTError) {
            for piece in pieces {
                decoder.append(piece)
                while let element = try decoder.next() {
                    if decoder.isDrained { Issue.record("a decoder that says something is not drained") }
                    try take(element, &decoder)
                }
                let rest = try decoder.next()
                if !decoder.isDrained || rest != nil { Issue.record("a drained decoder has nothing to say") }
                checkMemory(decoder, max(streamingThreshold, maximumBufferedSize))
            }
        } catch {
            self.error = error
        }
    }

    /// Whether the stream ended within a streamed PUBLISH.
    var isUnfinished: Bool { begun != nil }

    private mutating func take(_ element: FrameDecoder.Element, _ decoder: inout FrameDecoder) throws(MQTTError) {
        switch element {
        case .packet(let frame):
            let packet = try Packet.decode(frame, version: decoder.version ?? .v5_0)
            if case .connect(let connect) = packet { decoder.version = connect.version }
            packets.append(packet)
        case .publishBegin(let publish):
            precondition(begun == nil)
            begun = publish
            streamedPublishes += 1
        case .unreadBegin:
            preconditionFailure("a strict reading leaves nothing unread")
        case .payload(var piece, let isLast):
            guard let publish = begun else { preconditionFailure("payload without its head") }
            payload.writeBuffer(&piece)
            guard isLast else { return }
            precondition(payload.readableBytes == publish.payloadLength)
            packets.append(.publish(publish.publish, payload: payload))
            begun = nil
            payload = ByteBuffer()
        }
    }

    private func checkMemory(_ decoder: FrameDecoder, _ limit: Int) {
        precondition(decoder.bufferedBytes < max(limit, 6))
        precondition(decoder.retainedCapacity <= max(256, 2 * decoder.bufferedBytes))
    }
}

extension ByteBuffer {
    /// The readable bytes in two pieces, of which the second begins at `index`.
    func split(at index: Int) -> [ByteBuffer] {
        [getSlice(at: 0, length: index)!, getSlice(at: index, length: readableBytes - index)!]
    }

    /// The readable bytes one by one, each in storage of its own that is far larger.
    var singleBytes: [ByteBuffer] {
        readableBytesView.map { byte in
            var buffer = ByteBufferAllocator().buffer(capacity: 4096)
            buffer.writeInteger(byte)
            return buffer
        }
    }
}
