import NIOCore
import NIOPosix
import Testing

@testable import QUICTransport

/// These tests use a real event loop, because they test how it runs tasks that are due in the same tick.
@Suite(.timeLimit(.minutes(1))) struct TimerTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    /// What fired, in order, and the timers of the test, because a timer that is not retained does not fire.
    private final class Firings {
        var all: [String] = []
        var timers: [Timer] = []

        func timer(on loop: any EventLoop) -> Timer {
            let timer = Timer(on: loop)
            timers.append(timer)
            return timer
        }
    }

    /// Runs `body` on the loop, and returns what has fired after `wait`, or later if a timer is still armed then.
    private func firings(after wait: TimeAmount, _ body: @escaping @Sendable (Firings) -> Void) async throws -> [String]
    {
        let loop = loop
        let firings = try await loop.submit {
            let firings = Firings()
            body(firings)
            return NIOLoopBound(firings, eventLoop: loop)
        }.get()
        while true {
            let (all, isArmed) = try await loop.scheduleTask(in: wait) {
                (firings.value.all, firings.value.timers.contains { $0.isArmed })
            }.futureResult.get()
            if !isArmed { return all }
        }
    }

    @Test func itFiresOnceAndIsNotArmedThen() async throws {
        let loop = loop
        let fired = try await firings(after: .milliseconds(20)) { firings in
            let timer = firings.timer(on: loop)
            #expect(!timer.isArmed)
            timer.arm(in: .milliseconds(1)) { firings.all.append("fired, armed: \(timer.isArmed)") }
            #expect(timer.isArmed)
        }
        #expect(fired == ["fired, armed: false"])
    }

    /// Both timers are due when the loop wakes up, so it has both in one batch when the first of them runs.
    @Test(arguments: 1...20) func oneThatIsCancelledInItsTickDoesNotFire(_: Int) async throws {
        let loop = loop
        let fired = try await firings(after: .milliseconds(20)) { firings in
            let due = NIODeadline.now() - .milliseconds(1)
            let timer = firings.timer(on: loop)
            loop.assumeIsolated().scheduleTask(deadline: due) {
                firings.all.append("cancels")
                timer.cancel()
            }
            timer.arm(at: due + .microseconds(1)) { firings.all.append("fired") }
        }
        #expect(fired == ["cancels"])
    }

    @Test func oneThatIsMovedInItsTickFiresOnceForTheLastArming() async throws {
        let loop = loop
        let fired = try await firings(after: .milliseconds(50)) { firings in
            let due = NIODeadline.now() - .milliseconds(1)
            let timer = firings.timer(on: loop)
            loop.assumeIsolated().scheduleTask(deadline: due) {
                timer.arm(in: .milliseconds(5)) { firings.all.append("second") }
            }
            timer.arm(at: due + .microseconds(1)) { firings.all.append("first") }
        }
        #expect(fired == ["second"])
    }

    /// This is the pattern of an endpoint: each firing handles what is due and arms the timer for what is next, and
    /// other events arm it as well. However often both happen in one tick, there is one firing per arming.
    @Test func armingAnewInTheTickOfTheFiringDoesNotMultiplyIt() async throws {
        let loop = loop
        final class Owner {
            let timer: Timer
            var firings = 0
            init(_ loop: any EventLoop) { timer = Timer(on: loop) }

            func fired() {
                firings += 1
                if firings < 50 { timer.arm(in: .microseconds(100)) { [self] in fired() } }
            }
        }
        let owner = try await loop.submit {
            let owner = Owner(loop)
            for _ in 0..<10 {
                let due = NIODeadline.now() - .milliseconds(1)
                owner.timer.arm(at: due) { owner.fired() }
                loop.assumeIsolated().scheduleTask(deadline: due - .microseconds(1)) {
                    owner.timer.arm(at: due) { owner.fired() }
                }
            }
            return NIOLoopBound(owner, eventLoop: loop)
        }.get()
        var (count, isArmed) = (0, true)
        while isArmed || count < 50 {
            (count, isArmed) = try await loop.scheduleTask(in: .milliseconds(50)) {
                (owner.value.firings, owner.value.timer.isArmed)
            }.futureResult.get()
        }
        // Each of the ten that arm the timer again may begin a new series only by ending the current one.
        #expect(count <= 60)
    }

    @Test func armingByADeadlineLeavesOneThatIsEarlyEnough() async throws {
        let loop = loop
        let fired = try await firings(after: .milliseconds(60)) { firings in
            let now = NIODeadline.now()
            let timer = firings.timer(on: loop)
            timer.arm(by: now + .milliseconds(10)) { firings.all.append("first") }
            timer.arm(by: now + .milliseconds(20)) { firings.all.append("later") }
            timer.arm(by: now + .milliseconds(9), slack: .milliseconds(1)) { firings.all.append("within the slack") }
            #expect(timer.deadline == now + .milliseconds(10))
            let moved = firings.timer(on: loop)
            moved.arm(by: now + .milliseconds(10)) { firings.all.append("replaced") }
            moved.arm(by: now + .milliseconds(5), slack: .milliseconds(1)) { firings.all.append("moved") }
            #expect(moved.deadline == now + .milliseconds(5))
        }
        #expect(fired == ["moved", "first"])
    }

    /// The loop still wakes it for the first deadline.
    @Test func oneThatWasMovedToALaterTimeSleepsOn() async throws {
        let loop = loop
        let fired = try await firings(after: .milliseconds(60)) { firings in
            let start = NIODeadline.now()
            let timer = firings.timer(on: loop)
            timer.arm(at: start + .milliseconds(1)) { firings.all.append("first") }
            timer.arm(at: start + .milliseconds(20)) {
                firings.all.append(.now() >= start + .milliseconds(20) ? "second" : "too early")
            }
        }
        #expect(fired == ["second"])
    }

    @Test func aNearDeadlineDoesNotCostTheDistantOne() async throws {
        let loop = loop
        let fired = try await firings(after: .milliseconds(80)) { firings in
            let start = NIODeadline.now()
            let timer = firings.timer(on: loop)
            for milliseconds: Int64 in [30, 10, 5] {
                timer.arm(at: start + .milliseconds(milliseconds)) {
                    firings.all.append("near")
                    timer.arm(at: start + .milliseconds(40)) {
                        firings.all.append(.now() >= start + .milliseconds(40) ? "distant" : "too early")
                    }
                }
            }
        }
        #expect(fired == ["near", "distant"])
    }

    @Test func oneThatWasCancelledCanBeArmedAgain() async throws {
        let loop = loop
        let fired = try await firings(after: .milliseconds(40)) { firings in
            let timer = firings.timer(on: loop)
            timer.arm(in: .milliseconds(1)) { firings.all.append("cancelled") }
            timer.cancel()
            #expect(!timer.isArmed)
            timer.arm(in: .milliseconds(5)) { firings.all.append("fired") }
        }
        #expect(fired == ["fired"])
    }

    @Test func aTimerThatIsNotRetainedDoesNotFire() async throws {
        let loop = loop
        let fired = try await firings(after: .milliseconds(20)) { firings in
            Timer(on: loop).arm(in: .milliseconds(1)) { firings.all.append("fired") }
        }
        #expect(fired.isEmpty)
    }
}
