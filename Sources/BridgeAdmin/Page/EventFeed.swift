import BridgeCore
import NIOCore
import ServiceLifecycle

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Samples the program every five seconds, keeps the history, and sends events to the viewers of the status page.
///
/// An event is encoded once and shared by all viewers. Without viewers there is nothing but the sampling. A viewer that
/// reads more slowly than events come is let go, and gets everything anew when it comes back.
package actor EventFeed: Service {
    /// How many pages may be open at once.
    package static let viewerLimit = 32
    /// Events that wait for one viewer: a snapshot and half a minute.
    static let queueLimit = 16
    static let heartbeatAfter = Duration.seconds(10)

    /// One open page. Its place is free again when it has left, or when nothing holds it any more: an answer that could
    /// not even be begun never leaves by itself.
    final class Viewer: Sendable {
        let number: Int
        let events: AsyncStream<ByteBuffer>
        private let feed: EventFeed

        fileprivate init(number: Int, events: AsyncStream<ByteBuffer>, feed: EventFeed) {
            self.number = number
            self.events = events
            self.feed = feed
        }

        deinit {
            Task { [feed, number] in await feed.leave(number) }
        }
    }

    private let service: any MonitoredService
    private let troubles: @Sendable () -> [Trouble]
    private let interval: Duration
    private let checkEvery: Duration
    private let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let start = ContinuousClock.now
    private var history = History()
    private var viewers: [Int: AsyncStream<ByteBuffer>.Continuation] = [:]
    /// Pages whose answer is not at its end yet, whether they are still sent to or not.
    private var open: Set<Int> = []
    private var lastNumber = 0
    private var isOver = false
    private var lastStatus: StatusReport?
    private var lastTroubles: [Trouble] = []
    private var lastSent = ContinuousClock.now

    package init(service: any MonitoredService, troubles: @escaping @Sendable () -> [Trouble]) {
        self.init(
            service: service, troubles: troubles, interval: .seconds(History.interval), checkEvery: .seconds(1))
    }

    init(
        service: any MonitoredService, troubles: @escaping @Sendable () -> [Trouble], interval: Duration,
        checkEvery: Duration
    ) {
        self.service = service
        self.troubles = troubles
        self.interval = interval
        self.checkEvery = checkEvery
    }

    /// Runs until graceful shutdown or cancellation, and then ends all viewers at once.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.work() }
        end()
    }

    private func work() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.sampleForever() }
            group.addTask { await self.watchForever() }
            group.addTask { await self.keepAliveForever() }
        }
    }

    private func end() {
        isOver = true
        for viewer in viewers.values { viewer.finish() }
        viewers.removeAll()
        arrived.finish()
    }

    /// The last 15 minutes, the oldest first.
    var samples: [HistorySample] { history.samples }

    // MARK: Viewers

    /// Lets a viewer in, whose first event is the snapshot; `nil` if there are too many, or the program is ending.
    func join() async throws -> Viewer? {
        guard !isOver, open.count < Self.viewerLimit else { return nil }
        lastNumber += 1
        let number = lastNumber
        open.insert(number)
        let status = await service.status()
        lastStatus = status
        let snapshot = SnapshotEvent(
            now: Date().timeIntervalSince1970, status: status, history: history.samples, troubles: troubles())
        let (events, continuation) = AsyncStream.makeStream(
            of: ByteBuffer.self, bufferingPolicy: .bufferingOldest(Self.queueLimit))
        do {
            continuation.yield(try EventEncoding.event("snapshot", snapshot))
        } catch {
            open.remove(number)
            throw error
        }
        if isOver {
            continuation.finish()
        } else {
            viewers[number] = continuation
            arrived.yield()
        }
        return Viewer(number: number, events: events, feed: self)
    }

    /// Forgets a viewer that `join` has let in.
    func leave(_ viewer: Viewer) {
        leave(viewer.number)
    }

    private func leave(_ number: Int) {
        open.remove(number)
        viewers.removeValue(forKey: number)?.finish()
    }

    private func send(_ event: ByteBuffer) {
        lastSent = .now
        for (number, viewer) in viewers {
            if case .enqueued = viewer.yield(event) { continue }
            viewer.finish()
            viewers[number] = nil
        }
    }

    private func sendTick(_ status: StatusReport, _ sample: HistorySample?) {
        let troubles = troubles()
        let tick = TickEvent(
            now: Date().timeIntervalSince1970, status: status, sample: sample,
            troubles: troubles == lastTroubles ? nil : troubles)
        lastTroubles = troubles
        lastStatus = status
        // Only a number that JSON does not know could fail here; the next event comes anyway.
        if let event = try? EventEncoding.event("tick", tick) { send(event) }
    }

    // MARK: What happens by time

    private func sampleForever() async {
        var next = ContinuousClock.now
        while !Task.isCancelled {
            let totals = await service.sample()
            let uptime = (ContinuousClock.now - start) / .seconds(1)
            let sample = history.add(totals, time: Date().timeIntervalSince1970, uptime: uptime)
            if !viewers.isEmpty { sendTick(await service.status(), sample) }
            // After a standstill, samples do not come in a burst.
            next = max(next + interval, .now)
            try? await Task.sleep(until: next, tolerance: .milliseconds(100))
        }
    }

    /// While there are viewers, tells them of a changed status without waiting for the next sample.
    private func watchForever() async {
        for await _ in arrivals {
            while !Task.isCancelled, !viewers.isEmpty {
                try? await Task.sleep(for: checkEvery)
                guard !viewers.isEmpty else { break }
                let status = await service.status()
                if status != lastStatus { sendTick(status, nil) }
            }
        }
    }

    private func keepAliveForever() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.heartbeatAfter)
            if !viewers.isEmpty, ContinuousClock.now - lastSent >= Self.heartbeatAfter { send(EventEncoding.heartbeat) }
        }
    }
}
