import NIOCore

// What the application asks for.
extension ClientRuntime {
    /// Whether there is a connection or one is being made.
    private var isActive: Bool {
        switch phase {
        case .idle, .ending: false
        case .connecting, .online, .pausing: true
        }
    }

    func publish(
        _ operation: ClientOperation, _ message: MQTTMessage, _ continuation: Continuation<MQTTPublishAnswer>
    ) {
        do throws(MQTTClientError) {
            try publish(operation, message)
            waiters[operation] = .publish(continuation)
            pump()
            giveCredit()
        } catch {
            continuation.resume(returning: .failure(error))
        }
    }

    /// No task waits for the outcome.
    func publish(_ operation: ClientOperation, _ message: MQTTMessage) throws(MQTTClientError) {
        guard isActive else { throw .notConnected }
        try session.publish(operation, message)
    }

    func subscribe(
        _ operation: ClientOperation, _ wish: SubscribeWish, _ buffer: MessageBuffer,
        _ continuation: Continuation<[MQTTReasonCode]>
    ) {
        do throws(MQTTClientError) {
            guard isActive else { throw .notConnected }
            let actions = try session.subscribe(
                operation, wish.subscriptions, identifier: wish.identifier, userProperties: wish.userProperties)
            waiters[operation] = .subscribe(continuation)
            buffers[operation] = buffer
            perform(actions)
            giveCredit()
        } catch {
            continuation.resume(returning: .failure(error))
        }
    }

    func unsubscribe(
        _ operation: ClientOperation, _ filters: [String], _ userProperties: [MQTTUserProperty],
        _ continuation: Continuation<[MQTTReasonCode]>
    ) {
        do throws(MQTTClientError) {
            guard isActive else { throw .notConnected }
            let actions = try session.unsubscribe(operation, filters, userProperties: userProperties)
            waiters[operation] = .unsubscribe(continuation)
            perform(actions)
            giveCredit()
        } catch {
            continuation.resume(returning: .failure(error))
        }
    }

    /// The task that waits was cancelled. Does nothing if the operation has its outcome, or was never begun.
    func cancel(_ operation: ClientOperation) {
        if requests.contains(operation) { return cancelRequest(operation) }
        switch waiters[operation] {
        case nil: return
        case .connect(let continuation):
            waiters[operation] = nil
            dropLink(isGraceful: false)
            session.connectionLost()
            becomeIdle(.notConnected)
            continuation.resume(returning: .failure(.cancelled))
        case .publish: perform(session.cancelPublish(operation))
        case .subscribe, .unsubscribe: perform(session.cancelRequest(operation))
        }
    }

    func setUnclaimed(_ operation: ClientOperation, _ buffer: MessageBuffer) {
        // If it is full, it no longer holds up the connection.
        if let old = unclaimed { ended(old, nil) }
        buffers[operation] = buffer
        unclaimed = operation
    }
}

/// What a SUBSCRIBE is to ask for.
struct SubscribeWish: Sendable {
    var subscriptions: [MQTTSubscription]
    var identifier: UInt32?
    var userProperties: [MQTTUserProperty] = []
}
