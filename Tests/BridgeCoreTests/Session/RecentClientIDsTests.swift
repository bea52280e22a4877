import NIOCore
import TestSupport
import Testing

@testable import BridgeCore

@Suite struct RecentClientIDsTests {
    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    @Test func oneIsForgottenInTime() {
        var recent = RecentClientIDs()
        recent.insert("a", for: .seconds(3), at: at(0))
        #expect(recent.contains("a", at: at(2)) && !recent.contains("b", at: at(2)))
        #expect(!recent.contains("a", at: at(3)))
        recent.insert("a", for: .seconds(3), at: at(2))
        recent.insert("b", for: .seconds(3), at: at(4))
        #expect(recent.contains("a", at: at(4)) && recent.count == 2)
    }

    /// The later one may have to be forgotten first.
    @Test func eachHasATimeOfItsOwn() {
        var recent = RecentClientIDs()
        recent.insert("long", for: .seconds(300), at: at(0))
        recent.insert("short", for: .seconds(3), at: at(1))
        recent.insert("other", for: .seconds(3), at: at(10))
        #expect(recent.contains("long", at: at(299)) && !recent.contains("short", at: at(4)))
        #expect(recent.count == 2, "the short one is gone although the long one came before it")
        // What was known stays known.
        recent.insert("long", for: .seconds(3), at: at(20))
        #expect(recent.contains("long", at: at(299)) && !recent.contains("long", at: at(300)))
    }

    @Test func oneIsRemoved() {
        var recent = RecentClientIDs()
        recent.insert("a", for: .seconds(300), at: at(0))
        recent.insert("b", for: .seconds(300), at: at(0))
        recent.remove("a")
        recent.remove("unknown")
        #expect(!recent.contains("a", at: at(1)) && recent.contains("b", at: at(1)) && recent.count == 1)
        // What is left of the first time does not end the second early, nor late.
        recent.insert("a", for: .seconds(400), at: at(0))
        recent.insert("c", for: .seconds(1), at: at(301))
        #expect(recent.contains("a", at: at(399)) && !recent.contains("a", at: at(400)))
    }

    @Test func clientIDsAreBytes() {
        var recent = RecentClientIDs()
        recent.insert("caf\u{E9}", for: .seconds(3), at: at(0))
        #expect(!recent.contains("cafe\u{301}", at: at(0)))
        recent.remove("cafe\u{301}")
        #expect(recent.contains("caf\u{E9}", at: at(0)))
    }

    /// The one with the least time left makes room.
    @Test func theyAreBounded() {
        var recent = RecentClientIDs()
        recent.insert("short", for: .seconds(3), at: at(0))
        for number in 1...RecentClientIDs.capacity { recent.insert("\(number)", for: .seconds(300), at: at(0)) }
        #expect(recent.count == RecentClientIDs.capacity && !recent.contains("short", at: at(0)))
        #expect(recent.contains("1", at: at(299)) && recent.contains("\(RecentClientIDs.capacity)", at: at(299)))
        recent.insert("one more", for: .seconds(301), at: at(0))
        #expect(recent.count == RecentClientIDs.capacity && recent.contains("one more", at: at(0)))
    }

    /// A device may lose its connection again and again, and return each time.
    @Test func whatIsRemovedTakesNoRoom() {
        var recent = RecentClientIDs()
        recent.insert("b", for: .seconds(300), at: at(0))
        for second in 0..<1_000 {
            recent.insert("a", for: .seconds(300), at: at(Int64(second) / 1_000))
            recent.remove("a")
        }
        #expect(recent.count == 1 && recent.entryCount <= 2 * recent.count + 64)
        #expect(recent.contains("b", at: at(299)) && !recent.contains("a", at: at(299)))
    }

    /// The same as a plain list would say, whatever happens.
    @Test(arguments: 1...20) func itIsAsExactAsAList(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var recent = RecentClientIDs()
        var list: [String: NIODeadline] = [:]
        var now: Int64 = 0
        for _ in 0..<500 {
            now += Int64.random(in: 0...2, using: &random)
            let clientID = "\(Int.random(in: 0..<10, using: &random))"
            if Int.random(in: 0..<4, using: &random) == 0 {
                recent.remove(clientID)
                list[clientID] = nil
            } else {
                let time = Int64.random(in: 1...60, using: &random)
                recent.insert(clientID, for: .seconds(time), at: at(now))
                list[clientID] = max(list[clientID] ?? at(0), at(now + time))
            }
            for number in 0..<10 {
                #expect(recent.contains("\(number)", at: at(now)) == (list["\(number)"].map { $0 > at(now) } ?? false))
            }
        }
    }

    @Test func aVeryLongOneIsNotRemembered() {
        var recent = RecentClientIDs()
        for length in [RecentClientIDs.longest, RecentClientIDs.longest + 1] {
            let clientID = String(repeating: "a", count: length)
            recent.insert(clientID, for: .seconds(3), at: at(0))
            #expect(recent.contains(clientID, at: at(0)) == (length == RecentClientIDs.longest))
        }
    }

    /// Thousands end at the same time. What comes afterwards does not wait until all of them are forgotten.
    @Test func manyAreForgottenInPortions() {
        var recent = RecentClientIDs()
        for number in 0..<100 { recent.insert("\(number)", for: .seconds(3), at: at(0)) }
        recent.insert("next", for: .seconds(3), at: at(3))
        #expect((80..<100).contains(recent.count) && !recent.contains("99", at: at(3)))
        for number in 0..<7 { recent.insert("later \(number)", for: .seconds(3), at: at(3)) }
        #expect(recent.count == 8)
    }
}
