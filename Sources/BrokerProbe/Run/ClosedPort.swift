import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Finds out whether a host says that nothing listens at a UDP port (ICMP port unreachable). Only a connected socket is
/// told, so the sockets of connections do not know.
enum ClosedPort {
    /// Sends a byte, which no QUIC server answers.
    static func isClosed(
        _ address: SocketAddress, within limit: TimeAmount, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Bool> {
        let promise = eventLoop.makePromise(of: Bool.self)
        // A second outcome is ignored.
        eventLoop.scheduleTask(in: limit) { promise.succeed(false) }
        return DatagramBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Listener(promise))
                }
            }
            .connect(to: address)
            .flatMap { channel in
                channel.writeAndFlush(AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: [0])))
                    .cascadeFailure(to: promise)
                return promise.futureResult.always { _ in channel.close(promise: nil) }
            }
    }

    private final class Listener: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        private let promise: EventLoopPromise<Bool>

        init(_ promise: EventLoopPromise<Bool>) {
            self.promise = promise
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            promise.succeed((error as? IOError)?.errnoCode == ECONNREFUSED)
        }
    }
}
