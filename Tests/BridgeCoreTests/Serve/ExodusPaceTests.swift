import BridgeCore
import Testing

@Suite struct ExodusPaceTests {
    @Test(arguments: [(1, 250), (3, 1), (100, 250), (10_000, 250), (100_000, 250), (7, 0)])
    func allHaveLeftInTimeAndNotTooFast(count: Int, rate: Int) {
        let pace = ExodusPace(of: count, perSecond: rate, within: .seconds(300))
        let turns = (count + pace.atOnce - 1) / pace.atOnce
        let last = pace.interval * (turns - 1)
        // The last turn comes before the half is over, except for what a turn takes.
        #expect(last <= .seconds(151))
        let isPressed = Double(count) / Double(max(rate, 1)) > 150
        if !isPressed {
            let perSecond = Double(pace.atOnce) / (pace.interval / .seconds(1))
            #expect(perSecond <= Double(max(rate, 1)) * 1.1 || turns == 1, "\(pace)")
        }
    }

    @Test func aDrainWithoutTimeTellsAllAtOnce() {
        #expect(ExodusPace(of: 500, perSecond: 1, within: .zero).atOnce == 500)
        #expect(ExodusPace(of: 0, perSecond: 1, within: .zero).atOnce == 1)
    }
}
