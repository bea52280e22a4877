import NIOCore
import Testing

@testable import BridgeCore

@Suite struct ReconnectPacerTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    /// How many devices may go at once at this time.
    private func burst(_ pacer: inout ReconnectPacer, at now: NIODeadline, limit: Int = 10_000) -> Int {
        var count = 0
        while count < limit, pacer.next(at: now) == nil {
            pacer.took()
            count += 1
        }
        return count
    }

    @Test func withoutALossEverybodyGoes() {
        var pacer = ReconnectPacer(perSecond: 10)
        #expect(burst(&pacer, at: start) == 10_000)
    }

    @Test func afterALossDevicesComeAtAnEvenPace() {
        var pacer = ReconnectPacer(perSecond: 100)
        pacer.disturbed(at: start)
        var total = burst(&pacer, at: start)
        #expect(total == 10)
        for step in 1...50 { total += burst(&pacer, at: start + .milliseconds(Int64(step) * 20)) }
        #expect((109...111).contains(total))
    }

    @Test func aDeviceThatHasToWaitIsToldForHowLong() throws {
        var pacer = ReconnectPacer(perSecond: 10)
        pacer.disturbed(at: start)
        #expect(burst(&pacer, at: start) == 1)
        let answer = pacer.next(at: start)
        let next = try #require(answer)
        #expect(next > start && next <= start + .milliseconds(101))
        let then = pacer.next(at: next)
        #expect(then == nil)
    }

    @Test func tokensDoNotPileUp() {
        var pacer = ReconnectPacer(perSecond: 100)
        pacer.disturbed(at: start)
        #expect(burst(&pacer, at: start + .seconds(20)) == 10)
    }

    @Test func thePaceEndsWithTheRecovery() {
        var pacer = ReconnectPacer(perSecond: 10)
        pacer.disturbed(at: start)
        pacer.disturbed(at: start + .seconds(20))
        #expect(burst(&pacer, at: start + .seconds(40)) == 1)
        #expect(burst(&pacer, at: start + .seconds(51)) == 10_000)
    }

    /// With more devices than the pace lets in during the recovery, the last ones are spread as well.
    @Test func thePaceLastsForAsLongAsThereIsALine() {
        var pacer = ReconnectPacer(perSecond: 10)
        pacer.disturbed(at: start)
        var total = 0
        var now = start
        for _ in 0..<600 {
            let count = burst(&pacer, at: now)
            #expect(count <= 1)
            total += count
            now = now + .milliseconds(100)
        }
        #expect((500...601).contains(total))
        // No device has had to wait for a while.
        #expect(burst(&pacer, at: now + .seconds(2)) == 10_000)
    }

    @Test func anEventLoopsShareMayBeLessThanOneASecond() {
        var pacer = ReconnectPacer(perSecond: 0.5)
        pacer.disturbed(at: start)
        var total = 0
        for second in 0..<20 { total += burst(&pacer, at: start + .seconds(Int64(second))) }
        #expect((10...11).contains(total))
    }

    /// The loop's clock may be older than the last look.
    @Test func aClockThatStepsBackDoesNoHarm() {
        var pacer = ReconnectPacer(perSecond: 10)
        pacer.disturbed(at: start)
        _ = burst(&pacer, at: start + .seconds(1))
        let earlier = pacer.next(at: start)
        #expect(earlier != nil)
    }
}
