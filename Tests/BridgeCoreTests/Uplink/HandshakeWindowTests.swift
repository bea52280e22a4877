import BridgeCore
import NIOCore
import Testing

@Suite struct HandshakeWindowTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    /// Takes all places that the window gives at that time.
    private func fill(_ window: inout HandshakeWindow, at now: NIODeadline) -> [HandshakeWindow.Place] {
        var places: [HandshakeWindow.Place] = []
        while case .go(let place) = window.request(at: now) { places.append(place) }
        return places
    }

    @Test func eightAreUnderWayAtFirstAndNoMore() {
        var window = HandshakeWindow()
        #expect(fill(&window, at: start).count == 8)
        #expect(window.request(at: start) == .wait(until: nil))
    }

    @Test func eachOutcomeMakesRoomForOneAtLeast() {
        var window = HandshakeWindow()
        let places = fill(&window, at: start)
        window.ended(places[0])
        #expect(fill(&window, at: start).count == 1)
        // Before the first refusal a success widens it by one.
        window.succeeded(places[1], at: start)
        #expect(fill(&window, at: start).count == 2)
    }

    /// As in a burst, each handshake that ends is followed by the next at once.
    @Test func aBurstWidensItUpToItsBound() {
        var window = HandshakeWindow()
        var places = fill(&window, at: start)
        for _ in 0..<1_000 {
            window.succeeded(places.removeFirst(), at: start)
            places += fill(&window, at: start)
        }
        #expect(places.count == Int(HandshakeWindow.widest))
    }

    /// A burst of a thousand at a server whose CPU does one handshake per millisecond: as many are under way as keep it
    /// busy over that round trip, and no more than three times the queue besides. The last third is what a window that
    /// doubles in each round trip overshoots by.
    @Test(arguments: [0, 1, 10, 50, 100])
    func aBusyServerIsKeptBusyAndNotDrowned(roundTrip: Int64) {
        var window = HandshakeWindow()
        let (path, work) = (TimeAmount.milliseconds(roundTrip), TimeAmount.milliseconds(1))
        var underWay: [(place: HandshakeWindow.Place, end: NIODeadline)] = []
        var (now, free, most, begun) = (start, start, 0, 0)
        repeat {
            while begun < 1_000, case .go(let place) = window.request(at: now) {
                free = max(free, now) + work
                underWay.append((place, free + path))
                begun += 1
            }
            most = max(most, underWay.count)
            let first = underWay.removeFirst()
            now = first.end
            window.succeeded(first.place, at: now)
        } while !underWay.isEmpty
        #expect(most <= Int(roundTrip) + 3 * Int(HandshakeWindow.queue))
        // The first few round trips have too few under way.
        #expect(now - start < .milliseconds(1_000 + 6 * roundTrip + 10))
    }

    /// A server that has become slower has fewer at once.
    @Test func itShrinksWhenMoreAndMoreWait() {
        var window = HandshakeWindow()
        var places = fill(&window, at: start)
        for _ in 0..<200 {
            window.succeeded(places.removeFirst(), at: start + .milliseconds(1))
            places += fill(&window, at: start)
        }
        let widened = places.count
        #expect(widened > 150)
        for place in places { window.succeeded(place, at: start + .seconds(1)) }
        #expect(Int(window.limit) < widened - 80)
        #expect(Int(window.limit) >= 2 * Int(HandshakeWindow.queue))
    }

    @Test func aRefusalHalvesItAndItPauses() {
        var window = HandshakeWindow()
        let places = fill(&window, at: start)
        window.refused(places[0], at: start, jitter: 0.5)
        #expect(window.limit == 4)
        let resumed = start + HandshakeWindow.shortestPause
        #expect(window.request(at: start) == .wait(until: resumed))
        #expect(window.request(at: resumed - .nanoseconds(1)) == .wait(until: resumed))
        // Seven are still under way, although only four may be.
        #expect(window.request(at: resumed) == .wait(until: nil))
        for place in places[1...4] { window.ended(place) }
        #expect(fill(&window, at: resumed).count == 1)
    }

    @Test func refusalsOfWhatWasUnderWayTogetherCountOnce() {
        var window = HandshakeWindow()
        let places = fill(&window, at: start)
        for place in places { window.refused(place, at: start, jitter: 0.5) }
        #expect(window.limit == 4)
        #expect(window.count == 0)
        #expect(fill(&window, at: start + HandshakeWindow.shortestPause).count == 4)
    }

    @Test func itIsNeverNarrowerThanOne() {
        var window = HandshakeWindow()
        var now = start
        for _ in 0..<20 {
            for place in fill(&window, at: now) { window.refused(place, at: now, jitter: 1) }
            now = now + .seconds(2)
        }
        #expect(window.limit == 1)
        #expect(fill(&window, at: now).count == 1)
    }

    @Test func afterARefusalItGrowsByOneInARound() {
        var window = HandshakeWindow()
        window.refused(fill(&window, at: start)[0], at: start, jitter: 0)
        let later = start + .seconds(1)
        while window.count > 0 { window.ended(anyPlace) }
        var places = fill(&window, at: later)
        #expect(places.count == 4)
        for _ in 0..<5 {
            window.succeeded(places.removeFirst(), at: later)
            places += fill(&window, at: later)
        }
        #expect(places.count == 5)
    }

    /// `ended` does not depend on which handshake it was.
    private var anyPlace: HandshakeWindow.Place {
        var window = HandshakeWindow()
        guard case .go(let place) = window.request(at: start) else { preconditionFailure("a new window has room") }
        return place
    }

    @Test func thePauseDoublesUntilOneHasSucceededAndHasABound() {
        var window = HandshakeWindow()
        var now = start
        func pause(_ window: inout HandshakeWindow) -> TimeAmount? {
            guard case .go(let place) = window.request(at: now) else { return nil }
            window.refused(place, at: now, jitter: 0.5)
            guard case .wait(let until?) = window.request(at: now) else { return nil }
            defer { now = until }
            return until - now
        }
        let pauses = (0..<10).map { _ in pause(&window) }
        #expect(pauses.prefix(4) == [.milliseconds(5), .milliseconds(10), .milliseconds(20), .milliseconds(40)])
        #expect(pauses.last == HandshakeWindow.longestPause)
        guard case .go(let place) = window.request(at: now) else {
            Issue.record("the pause is over")
            return
        }
        window.succeeded(place, at: now)
        #expect(pause(&window) == HandshakeWindow.shortestPause)
    }

    @Test(arguments: [(-1.0, 2_500), (0.0, 2_500), (0.5, 5_000), (1.0, 7_500), (2.0, 7_500)])
    func theJitterIsAHalfEitherWay(jitter: Double, microseconds: Int) {
        var window = HandshakeWindow()
        window.refused(fill(&window, at: start)[0], at: start, jitter: jitter)
        #expect(window.request(at: start) == .wait(until: start + .microseconds(Int64(microseconds))))
    }

    @Test func itKnowsSinceWhenThereWasNothingButRefusals() {
        var window = HandshakeWindow()
        let places = fill(&window, at: start)
        #expect(window.refusedSince == nil)
        window.refused(places[0], at: start, jitter: 0)
        window.refused(places[1], at: start + .seconds(1), jitter: 0)
        // A handshake that ran out of time says nothing about the server.
        window.ended(places[2])
        #expect(window.refusedSince == start)
        window.succeeded(places[3], at: start + .seconds(1))
        #expect(window.refusedSince == nil)
    }
}
