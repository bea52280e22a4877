import TestSupport
import Testing

@testable import BenchmarkLoad

struct PublishScheduleTests {
    private static func schedule(devices: Int, rate: Double, start: Int64 = 0, seed: UInt64 = 1) -> PublishSchedule {
        var random = SplitMix64(seed: seed)
        return PublishSchedule(devices: devices, rate: rate, start: start, using: &random)
    }

    @Test func everyDevicePublishesOncePerPeriod() {
        var schedule = Self.schedule(devices: 50, rate: 2, start: 1_000_000_000)
        var due = Array(repeating: [Int64](), count: 50)
        var last: Int64 = 0
        for _ in 0..<50 * 20 {
            #expect(schedule.nextDue >= last)
            last = schedule.nextDue
            let next = schedule.next()
            #expect(next.due == last)
            due[next.device].append(next.due)
        }
        for times in due {
            #expect(times.count == 20)
            #expect((1_000_000_000..<1_500_000_000).contains(times[0]))
            #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 500_000_000 })
        }
    }

    @Test func devicesAreSpreadOverThePeriod() {
        var schedule = Self.schedule(devices: 1000, rate: 1)
        var inFirstHalf = 0
        for _ in 0..<1000 where schedule.next().due < 500_000_000 { inFirstHalf += 1 }
        #expect((420...580).contains(inFirstHalf))
    }

    /// A period that is no whole number of nanoseconds must not add up to a wrong rate.
    @Test func roundingDoesNotAddUp() {
        var schedule = Self.schedule(devices: 1, rate: 3)
        let first = schedule.next().due
        for _ in 0..<2_999_999 { _ = schedule.next() }
        #expect(schedule.next().due - first == 1_000_000_000_000_000)
    }
}
