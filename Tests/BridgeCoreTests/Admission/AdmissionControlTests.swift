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

    @Test func devicesOfOneAddress() {
        var control = AdmissionControl(limits: LimitsConfiguration(devicesPerAddress: 1), now: now)
        #expect(control.admit(from: "a", at: now) == .admit)
        #expect(isRefusal(control.admit(from: "a", at: now), of: "devices_per_address"))
        #expect(control.admit(from: "b", at: now) == .admit)
        control.left(.admit, from: "a")
        #expect(control.admit(from: "a", at: now) == .admit)
    }

    @Test func connectionsASecond() {
        var control = AdmissionControl(limits: LimitsConfiguration(acceptRate: 10), now: now)
        for _ in 0..<10 { #expect(control.admit(from: "a", at: now) == .admit) }
        #expect(isRefusal(control.admit(from: "a", at: now), of: "accept_rate"))
        let later = now + .milliseconds(100)
        #expect(control.admit(from: "a", at: later) == .admit)
        #expect(isRefusal(control.admit(from: "a", at: later), of: "accept_rate"))
    }

    @Test func refusalsAreBoundedToo() {
        var control = AdmissionControl(limits: LimitsConfiguration(devices: 0, acceptRate: 100_000), now: now)
        for _ in 0..<AdmissionControl.maximumRefusals {
            #expect(isRefusal(control.admit(from: "a", at: now), of: "limits.devices"))
        }
        guard case .close = control.admit(from: "a", at: now) else {
            Issue.record("one more than the bound is still refused politely")
            return
        }
    }
}
