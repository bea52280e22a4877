import MQTTCodec
import NIOCore

extension ClientRuntime: BrokerLinkObserver {
    func linkOpened(_ link: any BrokerLink, _ facts: LinkFacts) {
        guard link === self.link else { return }
        session.connectMayArrive()
        logger.debug("link open", metadata: ["remote": "\(facts.remoteAddress)", "transport": "\(facts.transport)"])
    }

    func link(_ link: any BrokerLink, received bytes: ByteBuffer, on stream: LinkStream) {
        guard link === self.link else {
            // This link is no longer used, but it ends only when all that the broker had sent was read.
            link.consumed(bytes.readableBytes, on: stream)
            return
        }
        readers[stream]?.append(bytes)
        if stream == .control {
            keepAlive?.received(at: .now())
            owedCredit += bytes.readableBytes
        }
        while link === self.link {
            do throws(MQTTError) {
                guard let packet = try readers[stream]?.next() else { break }
                perform(session.received(packet, on: stream))
            } catch {
                perform(session.malformed(error))
                break
            }
        }
        guard link === self.link else { return }
        if stream == .control { giveCredit() } else { link.consumed(bytes.readableBytes, on: stream) }
        pump()
    }

    /// Lets the broker send more, unless a sequence is full.
    ///
    /// While a task waits for the broker's answer, messages go on coming, because the answer is behind them. A loop that
    /// publishes and waits for the acknowledgement before it takes the next message would otherwise wait for ever.
    func giveCredit() {
        guard owedCredit > 0, let link else { return }
        guard full.isEmpty || (isAnswerAwaited && !full.contains { buffers[$0]?.level == .closed }) else { return }
        let bytes = owedCredit
        owedCredit = 0
        link.consumed(bytes, on: .control)
    }

    /// Whether a task waits for something that the broker has to send.
    var isAnswerAwaited: Bool { !waiters.isEmpty || !requests.waiting.isEmpty }

    func linkWritable(_ link: any BrokerLink, on stream: LinkStream) {
        guard link === self.link else { return }
        pump()
    }

    func link(_ link: any BrokerLink, ended stream: LinkStream) {
        guard link === self.link, stream != .control else { return }
        logger.info("data stream ended by the broker, its messages go on on the control stream")
        readers[stream] = nil
        session.ended(stream)
        pump()
    }

    func linkMoved(_ link: any BrokerLink, to localAddress: String) {
        guard link === self.link else { return }
        logger.info("connection moved to another address", metadata: ["local": "\(localAddress)"])
        tell(.moved(to: localAddress))
    }

    func linkEnded(_ link: any BrokerLink, _ end: LinkEnd) {
        if closing.removeValue(forKey: ObjectIdentifier(link)) != nil {
            if closing.isEmpty { ended() }
            releaseIfIdle()
            return
        }
        guard link === self.link else { return }
        self.link = nil
        switch end {
        case .finished: lost(.connectionLost(detail: "it was closed"), isRetryUseful: true)
        case .lost(let error, let isRetryUseful, let code):
            let reason = MQTTClientError(applicationCode: code)
            lost(
                reason ?? error, isRetryUseful: reason == nil ? isRetryUseful : true,
                mayBeTakeover: end == .endedByBroker)
        }
        releaseIfIdle()
    }

    /// Sends as many messages as the link has room for.
    func pump() {
        guard case .online = phase, let link else { return }
        for stream in session.streamsToSendOn {
            while true {
                let room = LinkWaterMarks.high - link.backlog(of: stream)
                guard room > 0 else { break }
                let actions = session.nextPublishes(on: stream, budget: room)
                guard !actions.isEmpty else { break }
                perform(actions)
            }
        }
    }

    // MARK: - Keepalive

    func watchKeepAlive() {
        guard let link, let step = keepAlive?.step(at: .now(), isReading: full.isEmpty) else { return }
        switch step {
        case .wait(let until): keepAliveTimer.arm(at: until) { [weak self] in self?.watchKeepAlive() }
        case .ping:
            if let ping = try? Packet.pingreq.encode(version: session.version) { link.write(ping, on: .control) }
            watchKeepAlive()
        case .lost: lost(.connectionLost(detail: "the broker did not answer PINGREQ"), isRetryUseful: true)
        }
    }
}
