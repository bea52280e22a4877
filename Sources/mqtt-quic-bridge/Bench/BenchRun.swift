import Logging
import MQTTQUICClient
import NIOCore
import Synchronization

/// Runs all devices of `bench`: connects them one after the other at the given pace, has them publish, and ends them
/// all in order, also if it is stopped before its time.
final class BenchRun: Sendable {
    /// How long an acknowledgement of the last messages is waited for.
    private static let patience = Duration.seconds(10)
    /// How long messages that were published last may take to arrive.
    private static let settling = Duration.seconds(5)

    let plan: BenchPlan
    let tally = BenchTally()
    /// When the devices began to publish.
    let began = BenchMoment()
    /// What all connections have in common.
    private let configuration: MQTTClientConfiguration
    private let process: Int32
    private let logger: Logger
    private let number = UInt32.random(in: 0...UInt32.max)
    private let isStopped = Atomic(false)

    init(plan: BenchPlan, configuration: MQTTClientConfiguration, process: Int32, logger: Logger) {
        self.plan = plan
        self.logger = logger
        self.process = process
        var configuration = configuration
        // A load that repairs itself would hide what it is to show, and it leaves nothing behind.
        configuration.reconnect = nil
        configuration.cleanStart = true
        configuration.sessionExpiry = .zero
        configuration.maximumOutstandingPublishes = plan.window
        configuration.maximumOutstandingBytes = max(
            configuration.maximumOutstandingBytes, plan.window * plan.messageWeight(process: process) * 2)
        self.configuration = configuration
    }

    /// What is not sent from now on was not to be sent. The task of ``run()`` is to be cancelled after this.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Returns the report. A cancelled task ends early, with what there is.
    func run() async -> BenchReport {
        let before = BenchUsage.processorSeconds
        let beginning = NIODeadline.now()
        let subscribers = await subscribe()
        let receiving = Task {
            await withTaskGroup(of: Void.self) { group in
                for (_, subscriber) in subscribers { group.addTask { await subscriber.receive() } }
            }
        }
        let devices = await connect()
        let connecting = BenchUsage(since: before, seconds: Self.seconds(since: beginning))
        let middle = BenchUsage.processorSeconds
        let start = NIODeadline.now()
        began.set(start)
        if !devices.isEmpty { await publish(devices, from: start) }
        let seconds = Self.seconds(since: start)
        let publishing = BenchUsage(since: middle, seconds: seconds)
        // The clients end in order even if this task is cancelled.
        await Task {
            if !isStopped.load(ordering: .relaxed) { await settle(subscribers.count) }
            await disconnect(devices.map(\.client) + subscribers.map(\.0.client))
        }.value
        receiving.cancel()
        await receiving.value
        return BenchReport(
            plan: plan, counts: tally.current, seconds: seconds, connecting: connecting, publishing: publishing,
            wasInterrupted: isStopped.load(ordering: .relaxed))
    }

    private static func seconds(since start: NIODeadline) -> Double {
        Double((NIODeadline.now() - start).nanoseconds) / 1e9
    }

    // MARK: - Clients

    private func device(_ number: Int) -> BenchDevice {
        var configuration = configuration
        configuration.clientID = plan.clientID.text(of: number, process: process)
        configuration.credentials = plan.credentials(configuration.credentials, of: number, process: process)
        return BenchDevice(
            number: number, client: MQTTClient(configuration, logger: logger), plan: plan,
            topic: plan.topic.text(of: number, process: process), run: self.number, tally: tally)
    }

    /// Connects the devices; those that do not succeed are left out.
    private func connect() async -> [BenchDevice] {
        await paced(1...plan.devices) { number, due in
            let device = self.device(number)
            return await device.connect(due: due) ? device : nil
        }
    }

    /// Connects the subscribers, whose numbers follow those of the devices; those that do not succeed are left out.
    private func subscribe() async -> [(BenchDevice, BenchSubscriber)] {
        guard plan.subscribers > 0 else { return [] }
        let filter = plan.topic.filter(process: process)
        return await paced(plan.devices + 1...plan.connections) { number, due -> (BenchDevice, BenchSubscriber)? in
            let device = self.device(number)
            guard await device.connect(due: due) else { return nil }
            do throws(MQTTClientError) {
                let messages = try await device.client.subscribe(
                    to: [MQTTSubscription(filter, qos: self.plan.qos)], buffer: 1_024)
                self.tally.count { $0.subscribed += 1 }
                return (device, BenchSubscriber(messages: messages, run: self.number, tally: self.tally))
            } catch {
                await device.client.disconnect()
                if error != .cancelled { self.tally.count { $0.note("a subscriber: \(error)") } }
                return nil
            }
        }
    }

    /// Has clients begin one after the other at the pace of the plan. None of them waits for the one before it, because
    /// each takes seconds at a broker that does not answer.
    ///
    /// - Returns: Those that have become something.
    private func paced<Client: Sendable>(
        _ numbers: ClosedRange<Int>, _ begin: @escaping @Sendable (_ number: Int, _ due: NIODeadline) async -> Client?
    ) async -> [Client] {
        await withTaskGroup(of: Client?.self) { group in
            let start = NIODeadline.now()
            for (index, number) in numbers.enumerated() {
                let due = start + .nanoseconds(Int64(Double(index) / plan.connectRate * 1e9))
                let left = due - .now()
                if left > .zero { try? await Task.sleep(for: .nanoseconds(left.nanoseconds)) }
                if Task.isCancelled { break }
                group.addTask { await begin(number, due) }
            }
            return await group.reduce(into: []) { clients, client in
                if let client { clients.append(client) }
            }
        }
    }

    private func disconnect(_ clients: [MQTTClient]) async {
        await withTaskGroup(of: Void.self) { group in
            for client in clients { group.addTask { await client.disconnect() } }
        }
    }

    // MARK: - Messages

    /// Returns when all devices are done, or when acknowledgements have been waited for long enough.
    private func publish(_ devices: [BenchDevice], from start: NIODeadline) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskGroup(of: Void.self) { group in
                    for device in devices {
                        group.addTask {
                            await device.publish(from: start) { self.isStopped.load(ordering: .relaxed) }
                        }
                    }
                }
            }
            group.addTask { try? await Task.sleep(for: .seconds(self.plan.duration) + Self.patience) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Waits until the last messages have arrived, or no more come.
    private func settle(_ subscribers: Int) async {
        let end = ContinuousClock.now + Self.settling
        while ContinuousClock.now < end {
            let counts = tally.current
            if counts.received >= counts.published * subscribers { return }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }
}
