import NIOCore

extension ClientRuntime {
    func perform(_ actions: [ClientAction]) {
        for action in actions { perform(action) }
    }

    func perform(_ action: ClientAction) {
        switch action {
        case .send(let bytes, let stream):
            // EMQX counts only what comes on the control stream.
            if stream == .control { keepAlive?.sent(at: .now()) }
            link?.write(bytes, on: stream)
        case .connected(let facts): connected(facts)
        case .published(let operation, let result): published(operation, result)
        case .subscribed(let operation, let result): subscribed(operation, result)
        case .unsubscribed(let operation, let result):
            guard case .unsubscribe(let continuation)? = waiters.removeValue(forKey: operation) else { return }
            continuation.resume(returning: result)
        case .deliver(let message, let delivery, let recipients): deliver(message, delivery, recipients)
        case .subscriptionRefused(let filter, let code, let reason):
            logger.warning(
                "the broker did not grant a subscription again", metadata: ["filter": "\(filter)", "code": "\(code)"])
            tell(.subscriptionRefused(filter: filter, code, reason: reason))
        case .subscriptionEnded(let operation, let error): ended(operation, error)
        case .fail(let error): failed(error)
        }
    }

    private func failed(_ error: MQTTClientError) {
        // After a fault of the broker's, DISCONNECT says which.
        let isGraceful = if case .protocolError = error { true } else { false }
        lost(error, isRetryUseful: true, isGraceful: isGraceful)
    }

    private func published(_ operation: ClientOperation, _ result: Result<MQTTPublishAnswer, MQTTClientError>) {
        if case .publish(let continuation)? = waiters.removeValue(forKey: operation) {
            return continuation.resume(returning: result)
        }
        if case .failure(let error) = result { requestFailed(operation, error) }
    }

    private func subscribed(_ operation: ClientOperation, _ result: Result<[MQTTReasonCode], MQTTClientError>) {
        if case .failure = result { letGo(of: operation) }
        if case .subscribe(let continuation)? = waiters.removeValue(forKey: operation) {
            return continuation.resume(returning: result)
        }
        responseTopicSubscribed(operation, result)
    }

    // MARK: - Messages to the application

    private func deliver(
        _ message: MQTTMessage, _ delivery: IncomingFlow.Delivery?, _ recipients: [ClientOperation]
    ) {
        let claimed = recipients.filter { buffers[$0] != nil || requests.isForAnswers($0) }
        let all = claimed.isEmpty ? [unclaimed].compactMap { $0 } : claimed
        guard !all.isEmpty else {
            logger.debug("message dropped, because nobody subscribed to it", metadata: ["topic": "\(message.topic)"])
            return taken(delivery)
        }
        if let delivery, all.count > 1 { shares[delivery] = all.count }
        for operation in all {
            guard let buffer = buffers[operation] else {
                answered(message)
                taken(delivery)
                continue
            }
            guard delivery != nil || !isAnswerAwaited || buffer.level < .overfull else {
                dropped(message, for: operation)
                continue
            }
            buffer.append(message, delivery)
            if buffer.isFull { full.insert(operation) }
        }
    }

    /// An answer is awaited from behind more messages than are kept. Only those of QoS 0 may be lost.
    private func dropped(_ message: MQTTMessage, for operation: ClientOperation) {
        guard dropping.insert(operation).inserted else { return }
        logger.warning(
            "messages of QoS 0 are dropped: the application takes them too slowly and waits for an answer behind them",
            metadata: ["topic": "\(message.topic)"])
    }

    /// A sequence has taken a message.
    func taken(_ delivery: IncomingFlow.Delivery?, from operation: ClientOperation) {
        taken(delivery)
        guard full.contains(operation) else { return }
        if buffers[operation]?.isFull == true { giveCredit() } else { emptied(operation) }
    }

    private func emptied(_ operation: ClientOperation) {
        full.remove(operation)
        dropping.remove(operation)
        if full.isEmpty { keepAlive?.received(at: .now()) }
        giveCredit()
    }

    private func taken(_ delivery: IncomingFlow.Delivery?) {
        guard let delivery else { return }
        if let count = shares[delivery] {
            shares[delivery] = count > 1 ? count - 1 : nil
            guard count == 1 else { return }
        }
        perform(session.taken(delivery))
    }

    /// A subscription has ended. Its sequence keeps what is in the buffer.
    func ended(_ operation: ClientOperation, _ error: MQTTClientError?) {
        buffers[operation]?.finish(error)
        // Nothing is added to it any more, so it need not hold up the connection, or the next one.
        if full.contains(operation) { emptied(operation) }
        responseTopicEnded(operation, error ?? .notConnected)
    }

    /// Nobody has the sequence any more.
    func abandon(_ operation: ClientOperation) {
        letGo(of: operation)
        perform(session.abandon(operation))
    }

    private func letGo(of operation: ClientOperation) {
        if unclaimed == operation { unclaimed = nil }
        guard let buffer = buffers.removeValue(forKey: operation) else { return }
        buffer.finish(nil)
        for delivery in buffer.drain() { taken(delivery) }
        if full.contains(operation) { emptied(operation) }
    }
}
