import MQTTCodec
import NIOCore

/// What the broker sends on one stream, as packets.
struct ProbeStream {
    enum Element: Sendable, Equatable {
        case packet(Packet)
        /// What came is not MQTT.
        case malformed(MQTTError)
        /// The broker reset the stream.
        case reset(code: UInt64)
        /// The stream has ended, and all packets were taken.
        case finished
    }

    /// The longest packet that is read, in bytes: none of those that a probe waits for is nearly as long.
    private static let packetLimit = 65_536
    /// More packets than these are dropped.
    private static let capacity = 32

    private let version: MQTTVersion
    private var decoder: FrameDecoder
    private var packets: [Packet] = []
    private var end: Element?

    init(_ version: MQTTVersion) {
        self.version = version
        decoder = FrameDecoder(maximumPacketSize: Self.packetLimit, maximumBufferedSize: Self.packetLimit)
        decoder.version = version
    }

    mutating func next() -> Element? {
        packets.isEmpty ? end : .packet(packets.removeFirst())
    }

    mutating func received(_ bytes: ByteBuffer, fin: Bool) {
        guard end == nil else { return }
        decoder.append(bytes)
        do {
            while let element = try decoder.next() {
                guard case .packet(let frame) = element, packets.count < Self.capacity else { continue }
                packets.append(try Packet.decode(frame, version: version))
            }
            if fin { end = .finished }
        } catch {
            end = .malformed(error)
        }
    }

    mutating func reset(_ code: UInt64) {
        if end == nil { end = .reset(code: code) }
    }
}
