import NIOCore
import QUICTransport

/// The writing side of a device's TCP connection.
///
/// The last write of a burst is held back until ``flush(taken:)``, so that one promise per burst shows when the
/// device's socket has taken the bytes. Only then may the broker send more.
///
/// This is a class, because a write may fail at once and call its owner before it has returned.
final class DeviceLeg {
    private let context: ChannelHandlerContext
    private var last: ByteBuffer?
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
        if let previous = last { context.write(NIOAny(previous), promise: nil) }
        last = bytes
    }

    /// `false` while the device is slower than what is written to it.
    var isWritable: Bool { context.channel.isWritable }

    /// Sends what is held back. `taken` is called when the socket has taken everything so far, or has failed.
    func flush(taken: (() -> Void)? = nil) {
        guard let last else {
            context.flush()
            taken?()
            return
        }
        self.last = nil
        guard let taken else {
            context.writeAndFlush(NIOAny(last), promise: nil)
            return
        }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in taken() }
        context.writeAndFlush(NIOAny(last), promise: promise)
    }

    /// Closes the connection behind everything sent. The bridge's direction goes first, so that the device reads the
    /// last packet and not a reset; the rest follows when the device closes too, or after `linger`.
    func close(linger: TimeAmount) {
        guard !isClosing else { return }
        isClosing = true
        let context = context
        flush {
            context.close(mode: .output, promise: nil)
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
