import BridgeCore
import NIOCore
import QUICTransport

/// The writing side of a device's TCP connection.
///
/// What is sent is held back until ``flush(taken:)``, so that the packets of a burst share one write, and so that a
/// promise at its end can show when the device's socket has taken the bytes. Only then may the broker send more.
///
/// This is a class, because a write may fail at once and call its owner before it has returned.
final class DeviceLeg {
    private let context: ChannelHandlerContext
    private var burst = Burst()
    private(set) var isClosing = false
    /// How many packets were sent so far; wraps around.
    private(set) var sent = 0
    /// Runs once the bridge has closed its direction.
    private var lingering: Timer?

    init(context: ChannelHandlerContext) {
        self.context = context
    }

    func send(_ bytes: ByteBuffer) {
        guard !isClosing else { return }
        sent &+= 1
        if let earlier = burst.add(bytes) { context.write(NIOAny(earlier), promise: nil) }
    }

    /// `false` while the device is slower than what is written to it.
    var isWritable: Bool { context.channel.isWritable }

    /// Sends what is held back. Whatever was written before has been flushed, because its last packet was held back.
    func flush() {
        guard let last = burst.take() else { return }
        context.writeAndFlush(NIOAny(last), promise: nil)
    }

    /// Sends what is held back, and calls `taken` when the socket has taken everything so far, or has failed. If nothing
    /// is held back, an empty write stands behind what was written before.
    func flush(taken: @escaping () -> Void) {
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in taken() }
        context.writeAndFlush(NIOAny(burst.take() ?? ByteBuffer()), promise: promise)
    }

    /// Closes the connection behind everything sent. The bridge's direction goes first, so that the device reads the
    /// last packet and not a reset; the rest follows when the device closes too, or after `linger`.
    func close(linger: TimeAmount) {
        guard !isClosing else { return }
        isClosing = true
        let context = context
        if burst.isEmpty {
            context.close(mode: .output, promise: nil)
        } else {
            flush { context.close(mode: .output, promise: nil) }
        }
        let timer = Timer(on: context.eventLoop)
        lingering = timer
        timer.arm(in: linger) { context.close(promise: nil) }
    }

    /// The connection is gone.
    func ended() {
        lingering = nil
    }
}
