import Testing

@testable import BridgeCore

@Suite struct ClientIDRegistryTests {
    @Test func theNewerHasIt() {
        var registry = ClientIDRegistry<Int>()
        #expect(registry.claim("a", by: 1) == nil)
        #expect(registry.claim("b", by: 2) == nil)
        #expect(registry.claim("a", by: 3) == .init(token: 1, isLingering: false))
        // The older one's end is no matter any more.
        registry.release("a", 1)
        #expect(registry.claim("a", by: 4) == .init(token: 3, isLingering: false))
        registry.release("a", 4)
        #expect(registry.claim("a", by: 5) == nil)
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
        // One comes back, one's time is over: there is room for two again.
        #expect(registry.claim("1", by: 5) == .init(token: 1, isLingering: true))
        registry.release("2", 2)
        #expect(registry.lingeringCount == 0)
        #expect(registry.linger("3", 3) && registry.linger("4", 4))
        #expect(registry.linger("1", 1) == false, "another has it by now")
        #expect(registry.linger("nobody", 9) == false)
    }
}
