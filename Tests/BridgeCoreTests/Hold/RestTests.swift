import MQTTCodec
import Testing

@testable import BridgeCore

/// A busy session keeps its ledger for the next message, and gives it back when it rests.
@Suite struct RestTests {
    private func message(_ id: UInt16) -> Packet { .publish("a", qos: .atLeastOnce, id: id, payload: "\(id)") }

    /// A message in flight is kept over a rest, and is sent again on the next leg.
    @Test func aRestLosesNothing() throws {
        var bench = try HoldBench.connected(.v5_0)
        bench.bench.session.becomeBusy()
        _ = try bench.device(message(1))
        bench.bench.session.rest()
        #expect(bench.budget.usedBytes > 0)
        try bench.lose()
        #expect(try bench.comeBack(true).up.count == 1)
        _ = try bench.broker(.ack(.puback, 1))
        #expect(bench.budget.usedBytes == 0)
    }

    /// The ledger that was kept knows nothing of the messages before, with a rest in between or without, and whatever
    /// happened to the leg.
    @Test(arguments: [false, true])
    func aKeptLedgerIsLikeANewOne(rests: Bool) throws {
        var bench = try HoldBench.connected(.v5_0)
        bench.bench.session.becomeBusy()
        for round in 1...3 as ClosedRange<UInt16> {
            _ = try bench.device(message(round))
            #expect(bench.budget.usedBytes > 0)
            #expect(try bench.broker(.ack(.puback, round)).down == [.ack(.puback, round)])
            #expect(bench.budget.usedBytes == 0)
            if rests {
                bench.bench.session.rest()
                bench.bench.session.becomeBusy()
            }
            // What comes while there is no leg waits for one, and was not kept in a ledger that is open.
            try bench.lose()
            #expect(try bench.device(message(10 + round)).up.isEmpty)
            #expect(try bench.comeBack(true).up == [message(10 + round)])
            #expect(try bench.broker(.ack(.puback, 10 + round)).down == [.ack(.puback, 10 + round)])
            #expect(bench.budget.usedBytes == 0)
        }
    }
}
