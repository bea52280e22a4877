import ArgumentParser
import Logging
import MQTTQUICClient

/// Does what `sub` is asked to do over a connection.
struct Subscriber: Sendable {
    let client: MQTTClient
    let plan: SubscribePlan
    let properties: ToolProperties
    let printer: MessagePrinter
    let version: MQTTVersion
    /// Whether messages of an earlier session may come before the subscription.
    let continuesSession: Bool
    let logger: Logger
    let console: ToolConsole

    /// Every task that it starts runs until the process ends. Messages are taken while the broker is asked for something,
    /// because its answer may be behind more messages than the client takes unread.
    func run(_ finish: @escaping ToolRun.Finish) async {
        let earlier = continuesSession ? client.unclaimedMessages() : nil
        do {
            try await client.connect()
        } catch {
            return fail(error, finish)
        }
        if let timeout = plan.timeout {
            Task {
                try await Task.sleep(for: timeout)
                console.say("Timed out")
                finish(ToolExit.timedOut)
            }
        }
        if let earlier { Task { await take(earlier, finish) } }
        do throws(MQTTClientError) {
            try await subscribe(finish)
        } catch .rejected {
            console.say("All subscription requests were denied.")
            finish(.success)
        } catch {
            fail(error, finish)
        }
    }

    private func subscribe(_ finish: @escaping ToolRun.Finish) async throws(MQTTClientError) {
        let messages = try await client.subscribe(
            to: plan.subscriptions, identifier: properties.subscribe.identifier,
            userProperties: properties.subscribe.userProperties)
        for (subscription, code) in zip(plan.subscriptions, messages.granted) {
            logger.debug("subscribed", metadata: ["filter": "\(subscription.filter)", "reason": "\(code)"])
            guard code.isError else { continue }
            console.warning("the broker refused the subscription to \(subscription.filter): \(code)")
        }
        Task { await take(messages, finish) }
        if !plan.unsubscribed.isEmpty {
            try await client.unsubscribe(from: plan.unsubscribed, userProperties: properties.unsubscribe)
        }
        if plan.endsWhenSubscribed { finish(.success) }
    }

    private func take(_ messages: MQTTMessages, _ finish: ToolRun.Finish) async {
        do {
            for try await message in messages {
                if try await printer.take(message) { return finish(.success) }
            }
        } catch let error as MQTTClientError {
            fail(error, finish)
        } catch StandardStreams.Failure.closedPipe {
            // Whoever read the output has enough, as in `sub | head`.
            finish(.success)
        } catch {
            console.error("standard output: \((error as? StandardStreams.Failure)?.description ?? "\(error)")")
            finish(ToolExit.usage)
        }
    }

    private func fail(_ error: MQTTClientError, _ finish: ToolRun.Finish) {
        if error != .cancelled { console.report(error) }
        finish(ToolExit.code(for: error, version))
    }
}
