import BridgeCore
import Testing

@testable import BridgeAdmin

struct HistoryTests {
    private func totals(_ messages: UInt64, _ bytes: UInt64 = 0, acknowledged: [Double] = []) -> TrafficSample {
        var sample = TrafficSample()
        sample.messagesUp = messages
        sample.messagesDown = messages * 2
        sample.bytesUp = bytes
        sample.bytesDown = bytes * 3
        for seconds in acknowledged { sample.acknowledgement.add(seconds: seconds) }
        sample.devices = DeviceCounts(connecting: 1, live: 7, held: 2)
        return sample
    }

    @Test func theFirstTotalsAreOnlyABeginning() {
        var history = History()
        let added = history.add(totals(500), time: 1000, uptime: 3)
        #expect(added == nil)
        #expect(history.samples.isEmpty)
    }

    @Test func ratesAreOfTheTimeThatHasPassed() throws {
        var history = History()
        _ = history.add(totals(100, 1000), time: 1000, uptime: 0)
        let firstAdded = history.add(totals(150, 2000), time: 1005, uptime: 5)
        let first = try #require(firstAdded)
        #expect(first.messagesUp == 10)
        #expect(first.messagesDown == 20)
        #expect(first.bytesUp == 200)
        #expect(first.bytesDown == 600)
        #expect([first.live, first.held, first.connecting] == [7, 2, 1])
        // A gap of a minute, in which the clock was set back by an hour.
        let secondAdded = history.add(totals(750, 2000), time: -2535, uptime: 65)
        let second = try #require(secondAdded)
        #expect(second.messagesUp == 10)
        #expect(second.bytesUp == 0)
        #expect(second.time == -2535)
        let third = history.add(totals(800), time: 1100, uptime: 65)
        #expect(third == nil)
        #expect(history.samples == [first, second])
    }

    @Test func quantilesAreOfTheIntervalAlone() throws {
        var history = History()
        _ = history.add(totals(0, acknowledged: [9, 9, 9]), time: 0, uptime: 0)
        let sampleAdded = history.add(totals(0, acknowledged: [9, 9, 9, 0.02, 0.02, 0.02]), time: 5, uptime: 5)
        let sample = try #require(sampleAdded)
        let middle = try #require(sample.acknowledgementP50)
        let high = try #require(sample.acknowledgementP99)
        #expect(0.01 < middle && middle < high && high <= 0.025)
        let quietAdded = history.add(totals(0, acknowledged: [9, 9, 9, 0.02, 0.02, 0.02]), time: 10, uptime: 10)
        let quiet = try #require(quietAdded)
        #expect(quiet.acknowledgementP50 == nil && quiet.acknowledgementP99 == nil)
    }

    @Test func smallerTotalsHaveBegunAgainAtZero() throws {
        var history = History()
        _ = history.add(totals(1_000_000, 5, acknowledged: [9, 9]), time: 0, uptime: 0)
        let sampleAdded = history.add(totals(50, 10, acknowledged: [0.02]), time: 5, uptime: 5)
        let sample = try #require(sampleAdded)
        #expect(sample.messagesUp == 10)
        #expect(sample.bytesUp == 1)
        #expect(try #require(sample.acknowledgementP99) < 0.03)
    }

    @Test func itHoldsFifteenMinutesAndNoMore() {
        var history = History()
        for index in 0...(2 * History.limit + 7) {
            _ = history.add(totals(UInt64(index)), time: Double(5 * index), uptime: Double(5 * index))
            #expect(history.samples.count == min(index, History.limit))
        }
        let times = history.samples.map(\.time)
        #expect(times.last == Double(5 * (2 * History.limit + 7)))
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 5 })
    }
}
