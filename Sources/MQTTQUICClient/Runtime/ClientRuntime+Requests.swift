import NIOCore
import QUICTransport

extension ClientRuntime {
    /// - Parameter subscribing: The operation for subscribing to the answers, if that has to be done.
    func request(
        _ operation: ClientOperation, subscribing: ClientOperation, _ message: MQTTMessage, timeout: Duration,
        _ continuation: Continuation<MQTTMessage>
    ) {
        do throws(MQTTClientError) {
            guard configuration.version == .v5_0 else {
                throw .invalidArgument("MQTT 3.1.1 has no requests: use MQTT 5")
            }
            guard case .online = phase else { throw .notConnected }
            let limit = configuration.maximumOutstandingPublishes
            guard requests.waiting.count < limit else { throw .tooManyOutstanding(limit: "\(limit) requests") }
            let topic = message.properties.responseTopic ?? requests.ownTopic(clientID: session.clientID)
            let correlation = requests.nextCorrelation()
            var message = message
            message.properties.responseTopic = topic
            message.properties.correlationData = correlation
            try session.check(message)
            try subscribeToAnswers(topic, subscribing)
            let timer = Timer(on: eventLoop)
            requests.waiting[correlation] = RequestTable.Request(
                operation: operation, message: message, topic: topic, continuation: continuation, timer: timer)
            timer.arm(in: TimeAmount(limited: timeout)) { [weak self] in
                self?.finish(correlation, .failure(.timedOut(operation: "the request", after: timeout)))
            }
            if case .ready? = requests.topics[topic] { publish(correlation) }
            giveCredit()
        } catch {
            continuation.resume(returning: .failure(error))
        }
    }

    private func subscribeToAnswers(_ topic: String, _ operation: ClientOperation) throws(MQTTClientError) {
        guard requests.topics[topic] == nil else { return }
        let actions = try session.subscribe(
            operation, [MQTTSubscription(topic, qos: .atLeastOnce)], identifier: nil, userProperties: [])
        while let idle = requests.topicToGiveUp, let place = requests.topics.removeValue(forKey: idle) {
            perform(session.abandon(place.operation))
        }
        requests.topics[topic] = .subscribing(operation)
        perform(actions)
    }

    private func publish(_ correlation: ByteBuffer) {
        guard let request = requests.waiting[correlation] else { return }
        do throws(MQTTClientError) {
            try publish(request.operation, request.message)
            pump()
        } catch {
            finish(correlation, .failure(error))
        }
    }

    func responseTopicSubscribed(
        _ operation: ClientOperation, _ result: Result<[MQTTReasonCode], MQTTClientError>
    ) {
        guard let topic = requests.topics.first(where: { $0.value.operation == operation })?.key else { return }
        switch result {
        case .success:
            requests.topics[topic] = .ready(operation)
            let waiting = requests.waiting.filter { $0.value.topic == topic }
            for (correlation, _) in waiting.sorted(by: { $0.value.operation < $1.value.operation }) {
                publish(correlation)
            }
        case .failure(let error): responseTopicEnded(operation, error)
        }
    }

    func responseTopicEnded(_ operation: ClientOperation, _ error: MQTTClientError) {
        guard let topic = requests.topics.first(where: { $0.value.operation == operation })?.key else { return }
        requests.topics[topic] = nil
        for (correlation, request) in requests.waiting where request.topic == topic {
            finish(correlation, .failure(error))
        }
    }

    /// A message has come at a response topic. Late answers are nobody's.
    func answered(_ message: MQTTMessage) {
        guard let correlation = message.properties.correlationData else { return }
        finish(correlation, .success(message))
    }

    /// The request itself could not be published.
    func requestFailed(_ operation: ClientOperation, _ error: MQTTClientError) {
        guard let correlation = requests.waiting.first(where: { $0.value.operation == operation })?.key else { return }
        finish(correlation, .failure(error))
    }

    func cancelRequest(_ operation: ClientOperation) {
        guard let correlation = requests.waiting.first(where: { $0.value.operation == operation })?.key else { return }
        finish(correlation, .failure(.cancelled))
    }

    func failRequests(_ error: MQTTClientError) {
        requests.topics = [:]
        for correlation in requests.waiting.keys { finish(correlation, .failure(error)) }
    }

    private func finish(_ correlation: ByteBuffer, _ result: Result<MQTTMessage, MQTTClientError>) {
        guard let request = requests.waiting.removeValue(forKey: correlation) else { return }
        request.timer.cancel()
        request.continuation.resume(returning: result)
        // A request that was not sent yet need not be, and one that has its answer must not be sent again as a new one.
        _ = session.cancelPublish(request.operation)
    }
}
