import NIOCore
import Testing

@testable import MQTTQUICClient

struct PaceTests {
    private let lost = MQTTClientError.connectionLost(detail: "test")

    @Test("Waits double up to the maximum, and begin anew after a connection that lived")
    func doubling() {
        var pace = ReconnectPace(.init(initial: .seconds(1), maximum: .seconds(5)))
        var waits: [Duration?] = []
        for _ in 0..<5 { waits.append(pace.next(after: lost, lived: nil, random: 0)) }
        #expect(waits == [.seconds(1), .seconds(2), .seconds(4), .seconds(5), .seconds(5)])
        #expect(pace.next(after: lost, lived: .seconds(6), random: 0) == .seconds(1))
        #expect(pace.next(after: lost, lived: .milliseconds(1), random: 0) == .seconds(2))
    }

    @Test("A part of a wait is random: up to a half")
    func jitter() {
        var pace = ReconnectPace(.init(initial: .seconds(8)))
        #expect(pace.next(after: lost, lived: nil, random: 1) == .seconds(4))
    }

    @Test("After the attempts that are allowed there is no other")
    func attempts() {
        var pace = ReconnectPace(.init(initial: .seconds(1), attempts: 2))
        #expect(pace.next(after: lost, lived: .seconds(1), random: 0) != nil)
        #expect(pace.next(after: lost, lived: nil, random: 0) != nil)
        #expect(pace.next(after: lost, lived: nil, random: 0) == nil)
    }

    @Test("A client whose session was taken over stays away for 5 s at least")
    func takeover() {
        var pace = ReconnectPace(.init(initial: .seconds(1)))
        #expect(pace.next(after: .sessionTakenOver, lived: .seconds(1), random: 1) == .seconds(5))
        #expect(pace.next(after: lost, lived: .seconds(1), random: 1, mayBeTakeover: true) == .seconds(5))
    }

    @Test(
        "No try is made where none can do better",
        arguments: [
            (MQTTClientError.refused(.badUserNameOrPassword, reason: nil, serverReference: nil), false),
            (.refused(.serverBusy, reason: nil, serverReference: nil), true),
            (.disconnectedByBroker(.notAuthorized, reason: nil, serverReference: nil), false),
            (.disconnectedByBroker(.serverShuttingDown, reason: nil, serverReference: nil), true),
            (.certificateRefused(host: "h", detail: "d"), false), (.unreachable(address: "a", detail: "d"), true),
        ])
    func mayPass(error: MQTTClientError, expected: Bool) {
        var pace = ReconnectPace(.init())
        #expect((pace.next(after: error, lived: nil, random: 0) != nil) == expected)
    }

    @Test(
        "A close code of the broker may carry a reason code",
        arguments: [
            (nil, nil), (0, nil), (1, nil), (0x37F, nil), (0x400, nil), (0x38E, .sessionTakenOver),
            (0x389, .disconnectedByBroker(.serverBusy, reason: nil, serverReference: nil)),
        ] as [(UInt64?, MQTTClientError?)])
    func applicationCode(code: UInt64?, expected: MQTTClientError?) {
        #expect(MQTTClientError(applicationCode: code) == expected)
    }

    @Test("Waits of nothing do not stay so while connections do not live")
    func floor() {
        var pace = ReconnectPace(.init(initial: .zero, maximum: .zero))
        let waits = (0..<3).map { _ in pace.next(after: lost, lived: .milliseconds(5), random: 0) }
        #expect(waits == [.zero, .milliseconds(100), .milliseconds(100)])
        #expect(pace.next(after: lost, lived: .seconds(1), random: 0) == .zero)
    }

    @Test("Without a rule there is no reconnect")
    func never() {
        var pace = ReconnectPace(nil)
        #expect(pace.next(after: lost, lived: .seconds(9), random: 0) == nil)
    }

    @Test("PINGREQ goes out after three quarters of the time, and silence after it is the end")
    func keepAlive() throws {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var plan = try #require(KeepAlivePlan(.seconds(40), at: start))
        #expect(plan.step(at: start, isReading: true) == .wait(until: start + .seconds(30)))
        plan.received(at: start + .seconds(20))
        #expect(plan.step(at: start + .seconds(29), isReading: true) == .wait(until: start + .seconds(30)))
        #expect(plan.step(at: start + .seconds(30), isReading: true) == .ping)
        #expect(plan.step(at: start + .seconds(30), isReading: true) == .wait(until: start + .seconds(70)))
        #expect(plan.step(at: start + .seconds(69), isReading: true) == .wait(until: start + .seconds(70)))
        #expect(plan.step(at: start + .seconds(70), isReading: true) == .lost)
        plan.received(at: start + .seconds(70))
        #expect(plan.step(at: start + .seconds(70), isReading: true) == .ping)
    }

    @Test("While the application is too slow to read, PINGREQ goes on, and a missing answer means nothing")
    func keepAliveOfSlowReader() throws {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var plan = try #require(KeepAlivePlan(.seconds(40), at: start))
        #expect(plan.step(at: start + .seconds(30), isReading: false) == .ping)
        #expect(plan.step(at: start + .seconds(59), isReading: false) == .wait(until: start + .seconds(60)))
        #expect(plan.step(at: start + .seconds(60), isReading: false) == .ping)
        #expect(KeepAlivePlan(.zero, at: start) == nil)
    }
}
