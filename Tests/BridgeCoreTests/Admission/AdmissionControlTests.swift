import BridgeCore
import NIOCore
import Testing

@Suite struct AdmissionControlTests {
    private let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func isRefusal(_ decision: AdmissionControl.Decision, of key: String) -> Bool {
        if case .refuse(let why) = decision { why.contains(key) } else { false }
    }

    @Test func devicesUpToTheLimit() {
        var control = AdmissionControl(limits: LimitsConfiguration(devices: 2), now: now)
        let first = control.admit(from: "a", at: now)
        #expect(first == .admit)
        #expect(control.admit(from: "b", at: now) == .admit)
        let third = control.admit(from: "c", at: now)
        #expect(isRefusal(third, of: "limits.devices"))
        control.left(third, from: "c")
        control.left(first, from: "a")
        #expect(control.admit(from: "c", at: now) == .admit)
    }

    @Test func asManyAsThereAreFiles() {
        var control = AdmissionControl(limits: LimitsConfiguration(devices: 5), now: now)
        #expect(control.admit(from: "a", at: now, files: 1) == .admit)
        #expect(isRefusal(control.admit(from: "b", at: now, files: 1), of: "LimitNOFILE"))
        // The system may allow more meanwhile.
        #expect(control.admit(from: "b", at: now, files: 2) == .admit)
    }

    @Test func devicesOfOneAddress() {
        var control = AdmissionControl(limits: LimitsConfiguration(devicesPerAddress: 1), now: now)
        #expect(control.admit(from: "a", at: now) == .admit)
        #expect(isRefusal(control.admit(from: "a", at: now), of: "devices_per_address"))
        #expect(control.admit(from: "b", at: now) == .admit)
        control.left(.admit, from: "a")
        #expect(control.admit(from: "a", at: now) == .admit)
    }

    @Test func connectionsPerSecond() {
        var control = AdmissionControl(limits: LimitsConfiguration(acceptRate: 10), now: now)
        for _ in 0..<10 { #expect(control.admit(from: "a", at: now) == .admit) }
        #expect(isRefusal(control.admit(from: "a", at: now), of: "accept_rate"))
        let later = now + .milliseconds(100)
        #expect(control.admit(from: "a", at: later) == .admit)
        #expect(isRefusal(control.admit(from: "a", at: later), of: "accept_rate"))
    }

    /// An address that keeps connecting and leaving does not keep others out.
    @Test func oneAddressDoesNotUseUpTheRateForAll() {
        var control = AdmissionControl(limits: LimitsConfiguration(acceptRate: 40), now: now)
        var admitted: [String: Int] = [:]
        // For 4 s, "greedy" connects 1,000 times per second, and two others and a new address connect every 250 ms.
        for millisecond in 0..<4_000 {
            let time = now + .milliseconds(Int64(millisecond))
            var others: [String] = []
            if millisecond % 250 == 249 { others = ["b", "c", "new \(millisecond)"] }
            for address in ["greedy"] + others {
                let decision = control.admit(from: address, at: time)
                if decision == .admit { admitted[address.hasPrefix("new") ? "new" : address, default: 0] += 1 }
                control.left(decision, from: address)
            }
        }
        #expect(admitted["b"] == 16 && admitted["c"] == 16 && admitted["new"] == 16)
        // It gets what the others leave of the rate, and no more: a burst of 40 at first, and 40 per second.
        #expect((140...160).contains(admitted["greedy"] ?? 0), "\(admitted)")
    }

    /// The credit is limited, however many addresses there are.
    @Test func theCreditOfNewAddressesIsBounded() {
        var control = AdmissionControl(limits: LimitsConfiguration(acceptRate: 40), now: now)
        var admitted = 0
        for index in 0..<1_000 where control.admit(from: "\(index)", at: now) == .admit { admitted += 1 }
        #expect(admitted == 50)
        // The debt is paid back first.
        for millisecond in 1...1_000 as ClosedRange<Int64> {
            if control.admit(from: "late", at: now + .milliseconds(millisecond)) == .admit { admitted += 1 }
        }
        #expect((79...80).contains(admitted))
    }

    @Test func aDeviceOverAnotherLimitDoesNotCountForTheRate() {
        var control = AdmissionControl(limits: LimitsConfiguration(devicesPerAddress: 1, acceptRate: 4), now: now)
        #expect(control.admit(from: "a", at: now) == .admit)
        for _ in 0..<50 {
            let decision = control.admit(from: "a", at: now)
            #expect(isRefusal(decision, of: "devices_per_address"))
            control.left(decision, from: "a")
        }
        for address in ["b", "c", "d"] { #expect(control.admit(from: address, at: now) == .admit) }
    }

    @Test func refusalsAreBoundedToo() {
        var control = AdmissionControl(limits: LimitsConfiguration(devices: 0, acceptRate: 100_000), now: now)
        for _ in 0..<AdmissionControl.maximumRefusals {
            #expect(isRefusal(control.admit(from: "a", at: now), of: "limits.devices"))
        }
        guard case .close = control.admit(from: "a", at: now) else {
            Issue.record("a connection beyond the bound is not closed at once")
            return
        }
    }
}
