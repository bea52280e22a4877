import MQTTQUICClient
import NIOCore
import Synchronization

/// One device of `bench`: connects, publishes at its pace, and disconnects.
final class BenchDevice: Sendable {
    let number: Int
    let client: MQTTClient
    private let plan: BenchPlan
    private let topic: String
    private let run: UInt32
    private let tally: BenchTally
    private let isLost = Atomic(false)

    init(number: Int, client: MQTTClient, plan: BenchPlan, topic: String, run: UInt32, tally: BenchTally) {
        self.number = number
        self.client = client
        self.plan = plan
        self.topic = topic
        self.run = run
        self.tally = tally
    }

    /// Subscribers have the numbers after the devices'.
    private var isDevice: Bool { number <= plan.devices }

    /// Returns whether there is a connection. The time counts from `due`.
    func connect(due: NIODeadline) async -> Bool {
        let events = client.events
        do {
            let answer = try await client.connect()
            let taken = (NIODeadline.now() - due).nanoseconds
            tally.count {
                if isDevice { $0.connected += 1 }
                if answer.transport == .tls { $0.tlsConnections += 1 }
                $0.connect.record(taken)
            }
            Task { await watch(events) }
            return true
        } catch {
            guard error != .cancelled else { return false }
            tally.count {
                $0.connectFailures += 1
                $0.note("\(error)")
            }
            return false
        }
    }

    /// Ends with the connection, or when ``BenchRun`` disconnects the client.
    private func watch(_ events: AsyncStream<MQTTClientEvent>) async {
        for await event in events {
            switch event {
            case .closed: return
            case .connected, .moved, .subscriptionRefused: continue
            case .disconnected(let error, _):
                isLost.store(true, ordering: .relaxed)
                return tally.count {
                    $0.lost += 1
                    $0.note("\(error)")
                }
            }
        }
    }

    /// Publishes what the plan says, or until the task is cancelled. Each message has its time, whether or not those
    /// before it have been acknowledged, and its latency counts from that time: so a broker that stalls shows.
    ///
    /// - Parameter isStopped: Whether a cancellation was somebody's wish, so that what was not sent was not to be sent.
    func publish(from start: NIODeadline, isStopped: @Sendable () -> Bool) async {
        let total = plan.messages(of: number)
        let sent = await withTaskGroup(of: Void.self) { group in
            var running = 0
            var isBehind = false
            for index in 0..<total {
                let due = start + .nanoseconds(plan.due(index, of: number))
                if due > .now() { isBehind = false }
                guard await wait(until: due, countsLag: !isBehind) else { return index }
                if running >= plan.window {
                    let wait = NIODeadline.now()
                    await group.next()
                    running -= 1
                    if NIODeadline.now() - wait > .milliseconds(1) {
                        isBehind = true
                        tally.count { $0.late += 1 }
                    }
                    if Task.isCancelled || isLost.load(ordering: .relaxed) { return index }
                }
                group.addTask { await self.publish(due: due) }
                running += 1
            }
            return total
        }
        if !isStopped() { countUnsent(sent..<total, from: start) }
    }

    /// Messages that were kept back because others had no answer count with the time that they have waited. Those of a
    /// lost connection do not, because no time would have been enough.
    private func countUnsent(_ indices: Range<Int>, from start: NIODeadline) {
        let waits =
            isLost.load(ordering: .relaxed)
            ? [] : Self.waits(of: indices, at: .now()) { start + .nanoseconds(plan.due($0, of: number)) }
        tally.count {
            $0.unsent += indices.count
            for (nanoseconds, count) in waits { $0.publish.record(nanoseconds, count: count) }
        }
    }

    /// How long messages have waited. They may be millions, which are due at one pace: then neighbours count as the one
    /// that has waited longest of them.
    static func waits(
        of indices: Range<Int>, at now: NIODeadline, due: (Int) -> NIODeadline
    ) -> [(nanoseconds: Int64, count: Int)] {
        let steps = min(indices.count, maximumSteps)
        return (0..<steps).map { step in
            let (first, next) = (indices.count * step / steps, indices.count * (step + 1) / steps)
            return ((now - due(indices.lowerBound + first)).nanoseconds, next - first)
        }
    }

    private static let maximumSteps = 1_000

    /// Returns `false` if the device is to end.
    ///
    /// - Parameter countsLag: Whether it is this program's own fault if the time has passed.
    private func wait(until due: NIODeadline, countsLag: Bool) async -> Bool {
        let left = due - .now()
        if left > .zero {
            guard (try? await Task.sleep(for: .nanoseconds(left.nanoseconds), tolerance: .zero)) != nil else {
                return false
            }
        }
        if countsLag {
            let lag = (NIODeadline.now() - due).nanoseconds
            tally.count { $0.lag.record(lag) }
        }
        return !Task.isCancelled && !isLost.load(ordering: .relaxed)
    }

    private func publish(due: NIODeadline) async {
        let payload = BenchStamp(run: run, due: due, device: number).payload(size: plan.size)
        let message = MQTTMessage(topic: topic, payload: payload, qos: plan.qos, properties: plan.properties)
        tally.count {
            $0.sent += 1
            $0.bytesSent += plan.size
        }
        do {
            try await client.publish(message)
            let taken = (NIODeadline.now() - due).nanoseconds
            tally.count {
                $0.published += 1
                $0.publish.record(taken)
            }
        } catch {
            let waited = (NIODeadline.now() - due).nanoseconds
            tally.count {
                guard error != .cancelled else {
                    $0.unanswered += 1
                    // It takes at least so long. Without it, a broker that stops for good would look as fast as before.
                    $0.publish.record(waited)
                    return
                }
                $0.publishFailures += 1
                $0.note("\(error)")
            }
        }
    }
}
