import Glibc
import MQTTCodec
import NIOCore

/// A client, which is told what comes over its connection.
protocol WireOwner: AnyObject {
    func received(_ packet: Packet, on wire: Wire)
    /// - Parameter reason: what was wrong with the bytes; `nil` if the connection has just ended.
    func closed(_ wire: Wire, _ reason: String?)
}

/// One TCP connection of an MQTT client: bytes to packets, and packets to bytes. Confined to the run's event loop.
final class Wire: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let largestPacket = 1 << 20

    private let version: MQTTVersion
    private weak var owner: (any WireOwner)?
    private var decoder = FrameDecoder(
        maximumPacketSize: largestPacket, streamingThreshold: largestPacket, maximumBufferedSize: largestPacket)
    private var context: ChannelHandlerContext?
    private var failure: String?
    /// When a packet was last written and read, in seconds from the beginning of the run.
    private(set) var lastWrite: Double = 0
    var lastRead: Double = 0
    var lastPing: Double = 0

    init(version: MQTTVersion, owner: any WireOwner) {
        self.version = version
        self.owner = owner
        decoder.version = version
    }

    // MARK: Sending

    func send(_ packet: Packet, at now: Double) {
        guard let bytes = try? packet.encode(version: version) else {
            failure = "\(packet) cannot be encoded"
            return close()
        }
        lastWrite = now
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    func flush() {
        context?.flush()
    }

    /// What is waiting to be sent is sent before.
    func close() {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    /// Closes with a TCP reset, as a device does that loses its power and is started again.
    func reset() {
        guard let context else { return }
        guard let options = context.channel as? any SocketOptionProvider else { return context.close(promise: nil) }
        options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    /// Whether incoming bytes are read.
    func setReading(_ isReading: Bool) {
        context?.channel.setOption(.autoRead, value: isReading).whenComplete { _ in }
    }

    // MARK: Events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        decoder.append(unwrapInboundIn(data))
        do {
            while case .packet(let frame)? = try decoder.next() {
                owner?.received(try Packet.decode(frame, version: version), on: self)
            }
        } catch {
            failure = "\(error)"
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        owner?.closed(self, failure)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
