import NIOCore
import Testing

@testable import BridgeCore

@Suite struct RecentClientIDsTests {
    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    @Test func oneIsForgottenInTime() {
        var recent = RecentClientIDs()
        recent.insert("a", at: at(0))
        #expect(recent.contains("a", at: at(2)) && !recent.contains("b", at: at(2)))
        #expect(!recent.contains("a", at: at(3)))
        recent.insert("a", at: at(2))
        recent.insert("b", at: at(4))
        #expect(recent.contains("a", at: at(4)) && recent.count == 2)
    }

    @Test func clientIDsAreBytes() {
        var recent = RecentClientIDs()
        recent.insert("caf\u{E9}", at: at(0))
        #expect(!recent.contains("cafe\u{301}", at: at(0)))
    }

    @Test func theyAreBounded() {
        var recent = RecentClientIDs()
        for number in 0...RecentClientIDs.capacity { recent.insert("\(number)", at: at(0)) }
        #expect(recent.count == RecentClientIDs.capacity && !recent.contains("0", at: at(0)))
    }
}
