import BridgeCore
import NIOCore
import NIOSSL
import NIOTLS

// Events of the channel.
extension TLSCarrier {
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        lastReceived = .now()
        guard let leg else { return }
        unconsumed += bytes.readableBytes
        leg.received(bytes, isEnd: false)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        readIfRoom()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? TLSUserEvent {
        case .handshakeCompleted?:
            guard case .handshaking(let channel) = state else { break }
            state = .ready(channel)
            deadline.cancel()
            observer?.carrierReady(
                self,
                UplinkReadiness(
                    isShared: false, alpn: UplinkConfiguration.Mapping.singleStreamProtocol, idleTimeout: .zero))
        case .shutdownCompleted?:
            hasBrokerClosed = true
        case nil:
            break
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .dialing, .handshaking:
            fail(words.error(error, certificate: tls?.peerCertificate))
        case .ready, .finishing, .closed:
            // An end without close_notify is reported last, and says less than its cause.
            if failure == nil { failure = error }
            if let channel { abort(channel) } else { context.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let previous = state
        state = .closed
        deadline.cancel()
        let leg = leg
        self.leg = nil
        switch previous {
        case .dialing, .handshaking:
            state = previous
            fail(words.error(NIOSSLError.uncleanShutdown, certificate: nil))
        case .ready where !hasBrokerClosed || failure != nil:
            let loss = words.loss(failure)
            observer?.carrierLost(self, UplinkConnectionEnd(why: "\(loss)", failure: .network), wasSilent: false)
            leg?.lost(loss)
        case .ready, .finishing:
            observer?.carrierEnded(self)
            leg?.received(ByteBuffer(), isEnd: true)
        case .closed:
            // The observer knows already: the connection failed, or was closed from this side.
            break
        }
        context.fireChannelInactive()
    }
}
