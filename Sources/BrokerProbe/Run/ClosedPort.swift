import NIOCore
import NIOPosix
import QUICTransport

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
        eventLoop.flatSubmit { ask(address, within: limit, on: eventLoop) }
    }

    private static func ask(
        _ address: SocketAddress, within limit: TimeAmount, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Bool> {
        // The first outcome counts.
        let promise = eventLoop.makePromise(of: Bool.self)
        let timer = Timer(on: eventLoop)
        timer.arm(in: limit) { promise.succeed(false) }
        DatagramBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Listener(promise))
                }
            }
            .connect(to: address)
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
                    channel.writeAndFlush(AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: [0])))
                        .cascadeFailure(to: promise)
                case .failure(let error):
                    promise.fail(error)
                }
            }
        return promise.futureResult.assumeIsolated().always { _ in timer.cancel() }.nonisolated()
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
