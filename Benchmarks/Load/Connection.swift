import MQTTCodec
import NIOCore

/// One TCP connection of an MQTT client. It cuts what it receives into packets, acknowledges messages, and tells its
/// client what has come.
///
/// Confined to the run's event loop.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What one flush writes at most, so that a device never has much more than the channel's own limit waiting.
    private static let batch = 64 * 1024
    /// Longer messages are not kept, because only their stamps are of interest.
    private static let streamingThreshold = 64 * 1024

    private let version: MQTTVersion
    private let output: OutputBuffer
    /// Held until the connection has ended.
    private var client: (any LoadClient)?
    private var decoder: FrameDecoder
    private var context: ChannelHandlerContext?
    private var streamed: StreamedMessage?
    /// When bytes last came and went, in nanoseconds.
    private(set) var lastRead: Int64
    private(set) var lastWrite: Int64
    /// When a PINGREQ was sent that has no answer.
    private(set) var pingSent: Int64?

    /// A message whose payload arrives in pieces.
    private struct StreamedMessage {
        var packetID: UInt16?
        var beginning = ByteBuffer()
    }

    init(of client: any LoadClient, version: MQTTVersion, output: OutputBuffer) {
        self.client = client
        self.version = version
        self.output = output
        decoder = FrameDecoder(
            maximumPacketSize: 268_435_460, streamingThreshold: Self.streamingThreshold,
            maximumBufferedSize: Self.streamingThreshold)
        decoder.version = version
        lastRead = Clock.now
        lastWrite = lastRead
    }

    // MARK: Sending

    /// Whether more may be written now.
    var canWrite: Bool {
        guard let context else { return false }
        if output.count(of: self) >= Self.batch { flush() }
        return context.channel.isWritable
    }

    /// Adds what `compose` writes to the bytes that the next `flush()` sends.
    func write(_ compose: (inout ByteBuffer) -> Void) {
        output.compose(for: self, compose)
    }

    func write(_ packet: ByteBuffer) {
        write { $0.writeImmutableBuffer(packet) }
    }

    /// Sends what was written.
    func flush() {
        guard let context, output.count(of: self) > 0 else { return output.drop(self) }
        lastWrite = Clock.now
        context.writeAndFlush(wrapOutboundOut(output.take(from: self)), promise: nil)
    }

    func ping() {
        guard let packet = try? Packet.pingreq.encode(version: version) else { return }
        pingSent = Clock.now
        write(packet)
        flush()
    }

    /// The client is told only if `isSilent` is false.
    func close(isSilent: Bool = false) {
        if isSilent { client = nil }
        context?.close(promise: nil)
    }

    // MARK: Events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let now = Clock.now
        lastRead = now
        decoder.append(unwrapInboundIn(data))
        do {
            while let element = try decoder.next() { try received(element, at: now) }
        } catch {
            client?.failed("\(error)")
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        client?.becameWritable()
        flush()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        output.drop(self)
        client?.closed(self)
        client = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func received(_ element: FrameDecoder.Element, at now: Int64) throws(MQTTError) {
        switch element {
        case .packet(let frame):
            try received(frame, at: now)
        case .publishBegin(let publish):
            streamed = StreamedMessage(packetID: publish.publish.packetID)
        case .payload(let piece, let isLast):
            guard var message = streamed else { return }
            if message.beginning.readableBytes < Stamp.length { message.beginning.writeImmutableBuffer(piece) }
            streamed = isLast ? nil : message
            if isLast { arrived(message.beginning, packetID: message.packetID, at: now) }
        case .unreadBegin:
            break
        }
    }

    private func received(_ frame: Frame, at now: Int64) throws(MQTTError) {
        switch frame.type {
        case .publish:
            let (head, payload) = try PublishHead.decode(frame, version: version)
            arrived(payload, packetID: head.packetID, at: now)
        case .puback:
            client?.acknowledged(try PublishAck.decode(frame, version: version).packetID, at: now)
        case .connack:
            client?.accepted(try Connack.decode(frame, version: version), at: now)
        case .suback:
            client?.subscribed(try Suback.decode(frame, version: version))
        case .pingresp:
            pingSent = nil
        case .disconnect:
            context?.close(promise: nil)
        case .connect, .pubrec, .pubrel, .pubcomp, .subscribe, .unsubscribe, .unsuback, .pingreq, .auth:
            break
        }
    }

    private func arrived(_ payload: ByteBuffer, packetID: UInt16?, at now: Int64) {
        if let stamp = Stamp(payload) { client?.arrived(stamp, at: now) }
        guard let packetID else { return }
        // A PUBACK without reason code has the same form in all versions.
        write { $0.writeMultipleIntegers(UInt8(0x40), UInt8(2), packetID) }
    }
}
