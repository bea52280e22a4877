import BridgeCore
import Testing

@Suite struct SpreadTests {
    @Test func valuesOfTwoLoopsAreOneSpread() {
        var (one, two) = (Spread(), Spread())
        for value in [3.0, 1] { one.add(value) }
        two.add(8)
        let named = (one + two + Spread()).named
        #expect(named.map(\.name) == ["min", "mean", "max"] && named.map(\.value) == [1, 4, 8])
        #expect((Spread() + Spread()).named.isEmpty)
    }
}
