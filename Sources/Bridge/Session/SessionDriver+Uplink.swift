import BridgeCore
import MQTTCodec
import NIOCore

// Events of the uplink leg.
extension SessionDriver: UplinkLegObserver {
    func uplinkReady(_ limits: GatewayLimits?) {
        handle(session.uplinkReady(limits))
    }

    func uplinkSentAgain() {
        handle(session.uplinkSentAgain())
    }

    func uplinkUnreachable(_ why: String) {
        forgetUplink()
        handle(session.uplinkUnreachable(why))
    }

    func uplinkReceived(_ bytes: ByteBuffer, isEnd: Bool) {
        stir()
        uncredited += bytes.readableBytes
        meter.heardBroker = uplink?.lastReceived ?? meter.heardBroker
        hasUplinkEnded = hasUplinkEnded || isEnd
        uplinkDecoder.append(bytes)
        pumpUplink()
        // After CONNACK, what the device sent meanwhile is accepted.
        handle()
    }

    func uplinkDrained() {
        guard isUplinkFull, !updateUplinkFull() else { return }
        handle()
    }

    func uplinkSilent() {
        // Without a hold nothing is kept, and the bound on the leg's bytes still stops reading from the device.
        if mayBeHeld {
            flushUplink()
            undrained = uplink?.bufferedBytes
            isUplinkFull = false
        }
        handle(session.uplinkSilent())
    }

    func uplinkAnswered(after silence: Duration) {
        undrained = nil
        uplinkRoom = 0
        handle(session.uplinkAnswered(after: silence))
    }

    func uplinkLost(_ loss: UplinkLoss) {
        forgetUplink()
        handle(session.uplinkLost(loss))
    }

    /// Hands over what the broker sent, as far as the session takes it, and sends the device what came of it.
    func pumpUplink() {
        guard !isPumpingUplink else { return }
        // Most events of the device find nothing here.
        guard !uplinkDecoder.isDrained || hasUplinkEnded else {
            device?.flush()
            return
        }
        isPumpingUplink = true
        defer { isPumpingUplink = false }
        var isDrained = false
        var longPacket: LongPacketShare?
        do {
            while session.takesUplinkInput() {
                guard let element = try uplinkDecoder.next() else {
                    isDrained = true
                    break
                }
                if let share = uplinkDecoder.takeShare() { longPacket = share }
                countDown(element)
                perform(session.uplinkSent(element))
            }
            if isDrained, hasUplinkEnded {
                hasUplinkEnded = false
                perform(session.uplinkEnded())
            }
        } catch {
            perform(session.uplinkMisbehaved(error))
        }
        // The beginning of a packet gets credit, because otherwise its end could never come.
        let isInsidePacket = isDrained && uplinkDecoder.bufferedBytes > 0
        let held = isDrained ? 0 : min(uplinkDecoder.bufferedBytes, uncredited)
        let credit = uncredited - held
        let isDue = isInsidePacket || credit >= LimitsConfiguration.creditStep(ofBuffer: sessionBuffer)
        guard longPacket != nil || credit > 0 && isDue else {
            device?.flush()
            return
        }
        uncredited = held
        // A long packet takes memory until the device's socket has it.
        device?.flush { [uplink] in withExtendedLifetime(longPacket) { uplink?.consumed(credit) } }
    }
}

// MARK: - Its end

extension SessionDriver {
    /// A leg that is back in the line has nothing under way, and without the device there is nothing to send again.
    func finishUplink() {
        guard let uplink, uplink.isWaiting else {
            self.uplink?.finish()
            return
        }
        uplink.close()
        host.eventLoop.assumeIsolated().execute { [self] in
            // The session may have closed the leg itself meanwhile, and asked for another.
            if self.uplink === uplink { uplinkLost(.network(description: "nothing was heard from the broker")) }
        }
    }

    /// A broker finishes a takeover faster when it has seen the end of the previous connection.
    func closeUplink() {
        flushUplink()
        uplink?.close()
        forgetUplink()
    }

    /// Bytes that came on a leg that is gone are dropped, and bytes that the leg had to send no longer stop reading
    /// from the device.
    private func forgetUplink() {
        uplink = nil
        _ = upBurst.take()
        uplinkRoom = 0
        isUplinkFull = false
        undrained = nil
        uncredited = 0
        hasUplinkEnded = false
        let previous = uplinkDecoder
        uplinkDecoder = Self.uplinkDecoder(sessionBuffer, previous.reading)
        uplinkDecoder.version = previous.version
        uplinkDecoder.longPackets = previous.longPackets
    }

    /// The longest packet that MQTT can express (2.1.4), with which the broker is trusted: long messages pass in pieces.
    private static let longestPacket = 268_435_460

    static func uplinkDecoder(_ buffer: Int, _ reading: Reading) -> FrameDecoder {
        FrameDecoder(
            maximumPacketSize: longestPacket, streamingThreshold: min(65_536, buffer), maximumBufferedSize: buffer,
            reading: reading)
    }
}
