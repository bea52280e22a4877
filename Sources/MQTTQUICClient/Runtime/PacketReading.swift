import MQTTCodec
import NIOCore

/// Cuts what comes on one stream into packets.
struct PacketReading {
    private var decoder: FrameDecoder
    private let version: MQTTCodec.MQTTVersion

    /// Only acknowledgements come on a data stream, so that many streams need little memory together.
    static let mostOnDataStream = 65_536

    init(_ configuration: MQTTClientConfiguration, atMost most: Int = .max) {
        let limit = max(min(configuration.maximumPacketSize, most), 2)
        version = configuration.version.codec
        // A message is kept whole, however long it is, because the application gets it whole.
        decoder = FrameDecoder(maximumPacketSize: limit, streamingThreshold: limit, maximumBufferedSize: limit)
        decoder.version = version
    }

    mutating func append(_ bytes: ByteBuffer) { decoder.append(bytes) }

    /// The next packet; `nil` if more bytes are needed.
    mutating func next() throws(MQTTError) -> Packet? {
        while let element = try decoder.next() {
            // There are no pieces, because nothing is longer than the threshold.
            guard case .packet(let frame) = element else { continue }
            return try Packet.decode(frame, version: version)
        }
        return nil
    }
}
