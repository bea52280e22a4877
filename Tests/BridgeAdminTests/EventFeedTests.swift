import BridgeCore
import NIOCore
import Testing

@testable import BridgeAdmin

struct EventFeedTests {
    /// Runs a feed beside `body`, and ends it afterwards.
    private func withFeed(
        _ service: FakeService = FakeService(), interval: Duration = .milliseconds(20),
        checkEvery: Duration = .milliseconds(5), _ body: @Sendable @escaping (EventFeed) async throws -> Void
    ) async throws {
        let feed = EventFeed(service: service, troubles: { [] }, interval: interval, checkEvery: checkEvery)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await feed.run() }
            try await body(feed)
            group.cancelAll()
        }
    }

    @Test func aViewerGetsTheSnapshotFirstAndThenTicks() async throws {
        try await withFeed { feed in
            let viewer = try #require(try await feed.join())
            var names: [String] = []
            for await event in viewer.events {
                let text = String(buffer: event)
                names.append(text.split(separator: "\n").first.map(String.init) ?? "")
                #expect(text.hasSuffix("\n\n"))
                #expect(text.contains(#""endpoint":"broker:14567""#))
                if names.count == 3 { break }
            }
            #expect(names == ["event: snapshot", "event: tick", "event: tick"])
            await feed.leave(viewer)
        }
    }

    @Test func aChangedStatusDoesNotWaitForTheNextSample() async throws {
        let service = FakeService()
        try await withFeed(service, interval: .seconds(3600)) { feed in
            let viewer = try #require(try await feed.join())
            service.report.withLock { $0.uplink.state = .down }
            for await event in viewer.events where String(buffer: event).contains(#""state":"down""#) { break }
            await feed.leave(viewer)
        }
    }

    @Test func withoutViewersNobodyAsksForTheStatus() async throws {
        let service = FakeService()
        try await withFeed(service) { feed in
            let viewer = try #require(try await feed.join())
            await feed.leave(viewer)
            // The next viewer's first tick comes after the feed has sampled without any.
            let before = service.statusCalls.withLock { $0 }
            try await Task.sleep(for: .milliseconds(100))
            #expect(service.statusCalls.withLock { $0 } <= before + 1)
        }
    }

    @Test func thereIsALimitOfViewers() async throws {
        try await withFeed { feed in
            var viewers: [EventFeed.Viewer] = []
            for _ in 0..<EventFeed.viewerLimit { viewers.append(try #require(try await feed.join())) }
            #expect(try await feed.join() == nil)
            let refusal = try await feed.response()
            #expect(refusal.status == .serviceUnavailable)
            await feed.leave(viewers[0])
            #expect(try await feed.join() != nil)
        }
    }

    @Test func anAnswerThatIsNeverWrittenFreesItsPlace() async throws {
        try await withFeed { feed in
            for _ in 0..<3 * EventFeed.viewerLimit {
                // The place becomes free a moment after the answer is dropped.
                var status = try await feed.response().status
                while status == .serviceUnavailable {
                    await Task.yield()
                    status = try await feed.response().status
                }
                #expect(status == .ok)
            }
        }
    }

    @Test func aViewerThatDoesNotReadIsLetGo() async throws {
        try await withFeed(interval: .milliseconds(1)) { feed in
            let slow = try #require(try await feed.join())
            let quick = try #require(try await feed.join())
            var count = 0
            for await _ in quick.events {
                count += 1
                if count > 3 * EventFeed.queueLimit { break }
            }
            // What had been queued, and then the end.
            var queued = 0
            for await _ in slow.events { queued += 1 }
            #expect(queued == EventFeed.queueLimit)
        }
    }

    @Test func allViewersEndWithTheFeed() async throws {
        let feed = EventFeed(service: FakeService(), troubles: { [] })
        let running = Task { try await feed.run() }
        let viewer = try #require(try await feed.join())
        running.cancel()
        var count = 0
        for await _ in viewer.events { count += 1 }
        #expect(count >= 1)
        try await running.value
        #expect(try await feed.join() == nil)
    }
}
