import Testing

@testable import BridgeCore

@Suite struct ClientIDRegistryTests {
    @Test func theNewerHasIt() {
        var registry = ClientIDRegistry<Int>()
        #expect(registry.claim("a", by: 1) == nil)
        #expect(registry.claim("b", by: 2) == nil)
        #expect(registry.claim("a", by: 3) == .init(token: 1, phase: .connecting))
        // The older session's end does not matter any more.
        _ = registry.release("a", 1)
        #expect(registry.claim("a", by: 4) == .init(token: 3, phase: .connecting))
        // The newest has left before the one before it was told.
        _ = registry.release("a", 4)
        #expect(registry.claim("a", by: 5) == .init(token: 3, phase: .connecting))
        #expect(registry.count == 2)
    }

    @Test func theSameAgainTakesNobodyOver() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("a", by: 1)
        #expect(registry.claim("a", by: 1) == nil)
    }

    @Test func idsAreBytes() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("\u{E9}", by: 1)
        #expect(registry.claim("e\u{301}", by: 2) == nil)
    }

    @Test func lingeringIsBounded() {
        var registry = ClientIDRegistry<Int>(maximumLingering: 2)
        for token in 1...4 { _ = registry.claim("\(token)", by: token) }
        #expect(registry.linger("1", 1) && registry.linger("2", 2))
        #expect(registry.linger("2", 2) == true, "twice is once")
        #expect(registry.lingeringCount == 2)
        #expect(registry.linger("3", 3) == false)
        // One comes back, and one is over: there is room for two again.
        #expect(registry.claim("1", by: 5) == .init(token: 1, phase: .lingering))
        _ = registry.release("2", 2)
        #expect(registry.lingeringCount == 0)
        #expect(registry.linger("3", 3) && registry.linger("4", 4))
        #expect(registry.linger("1", 1) == false, "another has it by now")
        #expect(registry.linger("nobody", 9) == false)
    }

    // MARK: - One after the other

    @Test func aNewcomerWaitsForOneThatIsLeaving() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("a", by: 1)
        _ = registry.set(.leaving, of: "a", 1)
        #expect(registry.wait("a") == .none)
        #expect(registry.claim("a", by: 2) == .init(token: 1, phase: .leaving))
        #expect(registry.wait("a") != .none)
        #expect(registry.release("a", 1) == 2)
        #expect(registry.wait("a") == .none)
        #expect(registry.release("a", 2) == nil)
        #expect(registry.count == 0)
    }

    @Test(arguments: [
        (ClientIDRegistry<Int>.Phase.living, ClientIDWait.brief), (.leaving, .brief), (.held, .untilOver),
        (.connecting, .untilOver), (.unanswered, .untilOver),
    ])
    func itWaitsForWhoeverHadIt(_ phase: ClientIDRegistry<Int>.Phase, _ wait: ClientIDWait) {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("a", by: 1)
        _ = registry.set(phase, of: "a", 1)
        #expect(registry.claim("a", by: 2) == .init(token: 1, phase: phase))
        #expect(registry.wait("a") == wait)
        #expect(registry.release("a", 1) == 2)
        #expect(registry.wait("a") == .none)
    }

    @Test func nobodyWaitsForOneWhoseDeviceIsStillThere() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("a", by: 1)
        #expect(registry.pass("a", 1) == nil)
        #expect(registry.count == 1, "it has it still")
        _ = registry.claim("a", by: 2)
        #expect(registry.pass("a", 1) == 2)
        #expect(registry.wait("a") == .none)
        // Its end does not matter any more.
        #expect(registry.release("a", 1) == nil)
        #expect(registry.claim("a", by: 3) == .init(token: 2, phase: .connecting))
    }

    @Test func oneThatHasReturnedIsLivingAgain() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("a", by: 1)
        _ = registry.set(.held, of: "a", 1)
        _ = registry.set(.living, of: "a", 1)
        #expect(registry.claim("a", by: 2) == .init(token: 1, phase: .living))
        // It changes nothing about a client id that another session has.
        let isHolder1 = registry.set(.held, of: "a", 1)
        #expect(!isHolder1)
        #expect(registry.claim("a", by: 3) == .init(token: 2, phase: .connecting))
    }

    /// The session was passed because its device was there, and is lost only when another session has its client id:
    /// its return would end that one.
    @Test func oneThatWasPassedHearsThatAnotherHasItsClientID() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("a", by: 1)
        let isHolder2 = registry.set(.living, of: "a", 1)
        #expect(isHolder2)
        _ = registry.claim("a", by: 2)
        #expect(registry.pass("a", 1) == 2)
        let isHolder3 = registry.set(.held, of: "a", 1)
        #expect(!isHolder3)
        // The other session has gone, so this one has the client id again.
        _ = registry.release("a", 2)
        let isHolder4 = registry.set(.held, of: "a", 1)
        #expect(isHolder4)
        #expect(registry.claim("a", by: 3) == .init(token: 1, phase: .held))
    }

    /// News about a session that is waited for counts for the next newcomer as well.
    @Test func oneThatIsWaitedForMayTurnOutToBeUnanswered() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("a", by: 1)
        _ = registry.set(.living, of: "a", 1)
        _ = registry.claim("a", by: 2)
        #expect(registry.wait("a") == .brief)
        let isHolder5 = registry.set(.unanswered, of: "a", 1)
        #expect(!isHolder5)
        #expect(registry.wait("a") == .untilOver)
    }

    /// The last newcomer waits for all sessions before it; those that gave up waiting wait for none.
    @Test func severalMayBeLeaving() {
        var registry = ClientIDRegistry<Int>()
        for token in 1...3 {
            _ = registry.claim("a", by: token)
            _ = registry.set(.leaving, of: "a", token)
        }
        _ = registry.claim("a", by: 4)
        #expect(registry.release("a", 2) == nil)
        #expect(registry.release("a", 1) == nil)
        #expect(registry.wait("a") != .none)
        #expect(registry.release("a", 3) == 4)
        #expect(registry.release("a", 4) == nil)
        #expect(registry.count == 0)
    }

    @Test func nobodyIsToldWhereTheNewcomerHasLeftFirst() {
        var registry = ClientIDRegistry<Int>()
        _ = registry.claim("a", by: 1)
        _ = registry.set(.leaving, of: "a", 1)
        _ = registry.claim("a", by: 2)
        #expect(registry.release("a", 2) == nil)
        #expect(registry.count == 1)
        #expect(registry.release("a", 1) == nil)
        #expect(registry.count == 0)
    }

    /// Event loops read in no certain order: the sessions of two connections that their device has given up claim the
    /// client id around the one that it keeps.
    @Test func theOneThatIsLeftHasItAgain() {
        var registry = ClientIDRegistry<Int>()
        for token in 1...3 { _ = registry.claim("a", by: token) }
        #expect(registry.phase(of: "a", 2) == .connecting)
        #expect(registry.release("a", 1) == nil)
        #expect(registry.release("a", 3) == 2)
        #expect(registry.wait("a") == .none)
        #expect(registry.phase(of: "a", 3) == nil)
        #expect(registry.claim("a", by: 4) == .init(token: 2, phase: .connecting))
        // It waits as long as an earlier one is there.
        #expect(registry.release("a", 4) == 2)
        _ = registry.claim("a", by: 5)
        _ = registry.claim("a", by: 6)
        #expect(registry.release("a", 6) == nil)
        #expect(registry.release("a", 2) == 5)
    }
}
