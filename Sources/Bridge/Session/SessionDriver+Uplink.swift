import BridgeCore
import MQTTCodec
import NIOCore

// What comes on the uplink leg.
extension SessionDriver: UplinkLegObserver {
    func uplinkReady(_ limits: GatewayLimits?) {
        perform(session.uplinkReady(limits))
        // Where this is what the device waited for, it lets in what the device sent meanwhile.
        pump()
        finishIfOver()
    }

    func uplinkUnreachable(_ why: String) {
        uplink = nil
        forgetUplink()
        perform(session.uplinkUnreachable(why))
        pump()
        finishIfOver()
    }

    func uplinkReceived(_ bytes: ByteBuffer, isEnd: Bool) {
        uncredited += bytes.readableBytes
        hasUplinkEnded = hasUplinkEnded || isEnd
        uplinkDecoder.append(bytes)
        pumpUplink()
        // CONNACK lets in what the device sent meanwhile.
        pump()
        finishIfOver()
    }

    /// Hands over what the broker sent, as far as the session takes it, and sends the device what came of it.
    func pumpUplink() {
        guard !isPumpingUplink else { return }
        isPumpingUplink = true
        defer { isPumpingUplink = false }
        var isDrained = false
        do {
            while session.acceptsUplinkInput {
                guard let element = try uplinkDecoder.next() else {
                    isDrained = true
                    break
                }
                perform(session.uplinkSent(element))
            }
            if isDrained, hasUplinkEnded {
                hasUplinkEnded = false
                perform(session.uplinkEnded())
            }
        } catch {
            perform(session.uplinkMisbehaved(error))
        }
        // The beginning of a packet has credit, or its end could never come.
        let held = isDrained ? 0 : min(uplinkDecoder.bufferedBytes, uncredited)
        let credit = uncredited - held
        uncredited = held
        guard credit > 0 else {
            device?.flush()
            return
        }
        device?.flush { [uplink] in uplink?.consumed(credit) }
    }

    func uplinkDrained() {
        guard isUplinkFull, !updateUplinkFull() else { return }
        pump()
        finishIfOver()
    }

    func uplinkSilent() {
        // Without a hold nothing is kept, and the leg's bound goes on to hold the device back.
        if host.holdsDevices {
            undrained = uplink?.bufferedBytes
            isUplinkFull = false
        }
        perform(session.uplinkSilent())
        pump()
        finishIfOver()
    }

    func uplinkAnswered(after silence: Duration) {
        undrained = nil
        perform(session.uplinkAnswered(after: silence))
        pump()
        finishIfOver()
    }

    func uplinkLost(_ loss: UplinkLoss) {
        uplink = nil
        forgetUplink()
        perform(session.uplinkLost(loss))
        pump()
        finishIfOver()
    }
}
