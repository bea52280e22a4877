import NIOCore
import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Lets a listener that cannot accept anybody, because the process may open no more files or the system is short of
/// memory, wait for a second. Those who connect wait in the system's queue meanwhile.
///
/// The system goes on saying that somebody waits, so that without a pause one attempt would follow the other. SwiftNIO's
/// `AcceptBackoffHandler` does not help: a read that has failed still counts as pending, and goes on.
package final class AcceptPause: ChannelInboundHandler {
    package typealias InboundIn = any Channel

    private let failed: (IOError) -> Void
    /// Armed during a pause.
    private var timer: Timer?

    /// - Parameter failed: Is told why nobody can be accepted, each time.
    package init(_ failed: @escaping (IOError) -> Void) {
        self.failed = failed
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        timer = Timer(on: context.eventLoop)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The others concern one connection alone.
        if let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode), let timer,
            !timer.isArmed
        {
            failed(error)
            let options = context.channel.syncOptions
            try? options?.setOption(.autoRead, value: false)
            timer.arm(in: .seconds(1)) { try? options?.setOption(.autoRead, value: true) }
        }
        context.fireErrorCaught(error)
    }
}

extension IOError {
    /// What is wrong if nobody can be accepted, and what to do about it.
    package var acceptAdvice: String {
        let reason = String(cString: strerror(errnoCode))
        return errnoCode == EMFILE ? "\(reason): raise the limit of open files (ulimit -n, LimitNOFILE=)" : reason
    }
}
