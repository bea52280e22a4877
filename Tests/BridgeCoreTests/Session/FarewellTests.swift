import NIOCore
import Testing

@testable import BridgeCore

@Suite struct FarewellTests {
    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    @Test func aSlowLinkIsGivenTime() {
        var farewell = Farewell(200_000, at: at(0))
        var waits: [Bool] = []
        for round in 1...4 { waits.append(farewell.goesOn(200_000 - round * 50_000, at: at(Int64(round) * 10))) }
        #expect(waits == [true, true, true, false])
    }

    @Test func oneOnWhichNothingMovesIsNot() {
        var farewell = Farewell(200_000, at: at(0))
        let waits = [(150_000, 10), (150_000, 20)].map { farewell.goesOn($0.0, at: at(Int64($0.1))) }
        #expect(waits == [true, false])
    }

    @Test func itEnds() {
        var farewell = Farewell(200_000, at: at(0))
        let waits = [(199_999, 299), (199_998, 300)].map { farewell.goesOn($0.0, at: at(Int64($0.1))) }
        #expect(waits == [true, false])
    }
}
