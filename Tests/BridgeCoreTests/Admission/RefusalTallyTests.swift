import BridgeCore
import NIOCore
import Testing

@Suite struct RefusalTallyTests {
    @Test func theFirstRefusalIsReportedAtOnceAndThenThereIsOneReportPerInterval() {
        let start = NIODeadline.uptimeNanoseconds(1_000)
        var tally = RefusalTally()
        #expect(tally.add(at: start) == 1)
        for _ in 0..<500 { #expect(tally.add(at: start + .seconds(9)) == nil) }
        #expect(tally.add(at: start + RefusalTally.interval) == 501)
        #expect(tally.add(at: start + RefusalTally.interval) == nil)
    }
}
