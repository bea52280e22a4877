import NIOCore
import NIOSSL
import NIOTLS

// Events of the channel.
extension TLSConnection {
    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        lastReceived = .now()
        guard let observer else { return }
        unconsumed += bytes.readableBytes
        observer.tls(self, received: bytes)
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        readIfRoom()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? TLSUserEvent {
        case .handshakeCompleted?:
            guard case .handshaking(let channel) = state else { break }
            state = .ready(channel)
            deadline.cancel()
            observer?.tlsReady(self)
        case .shutdownCompleted?:
            hasPeerClosed = true
        case nil:
            break
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .dialing, .handshaking:
            fail(words.error(error, certificate: tls?.peerCertificate))
        case .ready, .finishing, .closed:
            // An end without close_notify is reported last, and says less than its cause.
            if failure == nil { failure = error }
            if let channel { abort(channel) } else { context.close(promise: nil) }
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        let previous = state
        state = .closed
        deadline.cancel()
        switch previous {
        case .dialing, .handshaking:
            state = previous
            fail(words.error(NIOSSLError.uncleanShutdown, certificate: nil))
        case .ready where !hasPeerClosed || failure != nil:
            observer?.tlsLost(self, cause: failure)
        case .ready, .finishing:
            observer?.tlsEnded(self)
        case .closed:
            // The observer knows already: the connection failed, or was closed from this side.
            break
        }
        context.fireChannelInactive()
    }
}
