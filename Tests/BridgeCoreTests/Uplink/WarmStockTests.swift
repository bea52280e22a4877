import BridgeCore
import NIOCore
import Testing

@Suite struct WarmStockTests {
    private func at(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds * 1e9)) }
    private func stock() -> WarmStock<Int> { WarmStock(backoffMinimum: .seconds(1), backoffMaximum: .seconds(4)) }

    /// With so many made at second 0, each good for 300 s.
    private func stock(of count: Int) -> WarmStock<Int> {
        var stock = stock()
        for id in 0..<count {
            #expect(stock.next(wanted: count, at: at(0)) == .dial)
            stock.ready(id, renewAfter: .seconds(300), at: at(0))
        }
        return stock
    }

    @Test func oneIsMadeAtATime() {
        var stock = stock()
        #expect(stock.next(wanted: 2, at: at(0)) == .dial)
        #expect(stock.next(wanted: 2, at: at(0)) == .wait(until: nil))
        stock.ready(1, renewAfter: .seconds(300), at: at(1))
        #expect(stock.next(wanted: 2, at: at(1)) == .dial)
        stock.ready(2, renewAfter: .seconds(300), at: at(2))
        #expect(stock.next(wanted: 2, at: at(2)) == .wait(until: at(31)))
        #expect(stock.ids == [1, 2])
    }

    @Test func whatIsTakenIsReplaced() {
        var stock = stock(of: 2)
        stock.took(0)
        #expect(stock.ids == [1])
        #expect(stock.next(wanted: 2, at: at(1)) == .dial)
    }

    @Test func withNoneWantedNoneIsMade() {
        var stock = stock()
        #expect(stock.next(wanted: 0, at: at(0)) == .wait(until: nil))
    }

    @Test func theOldestGoFirstWhenFewerAreWanted() {
        var stock = stock(of: 2)
        #expect(stock.next(wanted: 0, at: at(1)) == .drop(0))
        #expect(stock.next(wanted: 0, at: at(1)) == .drop(1))
        #expect(stock.next(wanted: 0, at: at(1)) == .wait(until: nil))
    }

    @Test func anOldOneIsKeptUntilItsReplacementHasCome() {
        var stock = stock(of: 1)
        #expect(stock.next(wanted: 1, at: at(299)) == .wait(until: at(300)))
        #expect(stock.next(wanted: 1, at: at(300)) == .dial)
        #expect(stock.ids == [0])
        stock.failed(at: at(301), jitter: 1)
        #expect(stock.next(wanted: 1, at: at(301)) == .wait(until: at(302)))
        #expect(stock.ids == [0])
        stock = self.stock(of: 1)
        #expect(stock.next(wanted: 1, at: at(300)) == .dial)
        stock.ready(7, renewAfter: .seconds(300), at: at(300))
        #expect(stock.next(wanted: 1, at: at(300)) == .drop(0))
        #expect(stock.next(wanted: 1, at: at(300)) == .wait(until: at(330)))
    }

    @Test func failuresMakeItSeldom() {
        var stock = stock()
        var now = 0.0
        for pause in [1.0, 2, 4, 4] {
            #expect(stock.next(wanted: 1, at: at(now)) == .dial)
            stock.failed(at: at(now), jitter: 1)
            #expect(stock.next(wanted: 1, at: at(now)) == .wait(until: at(now + pause)))
            now += pause
        }
        // Others got through.
        stock.serverAnswered()
        #expect(stock.next(wanted: 1, at: at(now)) == .dial)
    }

    /// Handshakes work, and the connections are ended at once: that would be a new one each round trip.
    @Test func aServerThatClosesThemIsNotHammered() {
        var stock = stock()
        var now = 0.0
        for (id, pause) in [1.0, 2, 4, 4].enumerated() {
            #expect(stock.next(wanted: 2, at: at(now)) == .dial)
            stock.ready(id, renewAfter: .seconds(300), at: at(now))
            let isLost = stock.lost(id, at: at(now), jitter: 1)
            #expect(isLost)
            #expect(stock.next(wanted: 2, at: at(now)) == .wait(until: at(now + pause)))
            stock.serverAnswered()
            #expect(stock.next(wanted: 2, at: at(now)) == .wait(until: at(now + pause)))
            now += pause
        }
        // Until one has stood for a while; only then a second is made.
        #expect(stock.next(wanted: 2, at: at(now)) == .dial)
        stock.ready(9, renewAfter: .seconds(300), at: at(now))
        #expect(stock.next(wanted: 2, at: at(now)) == .wait(until: at(now + 30)))
        #expect(stock.next(wanted: 2, at: at(now + 30)) == .dial)
    }

    /// What stands says nothing of those that fail.
    @Test func aProvenOneDoesNotEndTheBackoffOfOthers() {
        var stock = stock(of: 1)
        #expect(stock.next(wanted: 1, at: at(40)) == .wait(until: at(300)))
        for (now, pause) in [(40.0, 1.0), (41, 2), (43, 4)] {
            #expect(stock.next(wanted: 2, at: at(now)) == .dial)
            stock.failed(at: at(now), jitter: 1)
            #expect(stock.next(wanted: 2, at: at(now)) == .wait(until: at(now + pause)))
        }
    }

    @Test func oneThatStoodForLongIsReplacedAtOnce() {
        var stock = stock(of: 1)
        let isLost = stock.lost(0, at: at(40), jitter: 1)
        let isLostAgain = stock.lost(0, at: at(40), jitter: 1)
        #expect(isLost && !isLostAgain)
        #expect(stock.next(wanted: 1, at: at(40)) == .dial)
    }

    @Test func whatTurnsOutToBeSharedIsNotInStock() {
        var stock = stock()
        #expect(stock.next(wanted: 1, at: at(0)) == .dial)
        stock.turnedAway()
        #expect(stock.ids.isEmpty)
        #expect(stock.next(wanted: 0, at: at(0)) == .wait(until: nil))
    }

    @Test func anAbandonedDialMayBeRepeated() {
        var stock = stock()
        #expect(stock.next(wanted: 1, at: at(0)) == .dial)
        stock.abandoned(at: at(0))
        #expect(stock.next(wanted: 1, at: at(0)) == .dial)
    }
}
