import NIOCore
import Testing

@testable import BridgeCore

/// Rules for all plans of a process together: the handshake window, one attempt after a failure, the pace after a loss.
@Suite struct UplinkPlanGateTests {
    @Test func aRefusalHalvesTheHandshakesAtOnce() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        for number in 1...20 { driver.ask("\(number)") }
        _ = driver.did
        #expect(world.gate.handshakes(to: 0) == 8)
        for number in 1...8 { driver.fail(number, .refused) }
        #expect(driver.did == [])
        #expect(world.gate.handshakes(to: 0) == 0)
        // The pause is 5 ms, and half as long again because of the jitter.
        #expect(driver.plan.deadline == world.now + .microseconds(7_500))
        world.pass(.milliseconds(8))
        // The last leg that returned to the front is the first there.
        #expect(driver.did == (0...3).map { "dial \($0 + 9) for \(8 - $0)" })
        #expect(world.violations() == [])
    }

    @Test func aPlanIsWokenWhenAnotherHasMadeRoom() {
        let world = PlanWorld(.plan())
        let first = world.driver()
        let second = world.driver()
        for number in 1...8 { first.ask("\(number)") }
        second.ask("a")
        #expect(second.did == [] && second.plan.deadline == nil)
        first.leave("1")
        #expect(second.did == ["dial 1 for a"])
        #expect(world.violations() == [])
    }

    @Test func afterAFailureOneDeviceGoesAheadForAllPlans() {
        let world = PlanWorld(.plan())
        let first = world.driver()
        let second = world.driver()
        first.ask("a")
        first.fail(1)
        first.ask("b")
        second.ask(all: "c", "d")
        #expect(first.did == ["dial 1 for a", "a unreachable: no answer"])
        #expect(second.did == [])
        world.pass(.seconds(1))
        #expect(first.did == ["dial 2 for b"])
        #expect(second.did == [])
        first.ready(2)
        #expect(first.did == ["open b on 2"])
        #expect(second.did == ["dial 1 for c", "dial 2 for d"])
        #expect(world.violations() == [])
    }

    @Test func whenTheOneThatGoesAheadLeavesAnotherTakesItsPlace() {
        let world = PlanWorld(.plan())
        let first = world.driver()
        let second = world.driver()
        first.ask("a")
        first.fail(1)
        first.ask("b")
        second.ask("c")
        world.pass(.seconds(1))
        first.leave("b")
        #expect(first.did == ["dial 1 for a", "a unreachable: no answer", "dial 2 for b", "close 2"])
        #expect(second.did == ["dial 1 for c"])
        #expect(world.violations() == [])
    }

    @Test func thePausesDouble() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask("0")
        for (number, pause) in [1, 2, 4, 8, 16, 32, 60, 60].enumerated() {
            driver.fail(number + 1)
            driver.ask("\(number + 1)")
            #expect(driver.plan.deadline == world.now + .seconds(Int64(pause)))
            world.pass(.seconds(Int64(pause)))
        }
        #expect(world.violations() == [])
    }

    @Test func afterALossTheFirstDeviceGoesAlone() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask(all: "a", "b")
        driver.ready(1)
        driver.ready(2)
        driver.lose(1)
        driver.ask(all: "c", "d", "e")
        _ = driver.did
        #expect(driver.plan.dialing.count == 1)
        driver.ready(3)
        #expect(driver.did == ["open c on 3", "dial 4 for d", "dial 5 for e"])
        #expect(world.violations() == [])
    }

    @Test func devicesOfALostConnectionComeBackAtThePaceOfTheOperator() {
        let world = PlanWorld(.plan(.mux, reconnectsPerSecond: 10))
        let driver = world.driver()
        for number in 1...20 { driver.ask("\(number)") }
        driver.ready(1, shared: true)
        world.pass(.seconds(2))
        _ = driver.did
        driver.lose(1, back: (1...20).map(String.init))
        driver.ready(2, shared: true)
        _ = driver.did
        for _ in 1...3 {
            world.pass(.milliseconds(500))
            #expect((4...5).contains(driver.did.count { $0.hasPrefix("open") }))
        }
        world.pass(.seconds(1))
        #expect(driver.plan.line.isEmpty)
        #expect(world.violations() == [])
    }

    @Test func aBrokerThatCouldNotBeReachedIsApproachedAtThatPace() {
        let world = PlanWorld(.plan(reconnectsPerSecond: 10))
        let driver = world.driver()
        driver.ask("a")
        driver.fail(1)
        world.pass(.seconds(1))
        driver.ask(all: "b", "c")
        driver.ready(2)
        #expect(driver.did == ["dial 1 for a", "a unreachable: no answer", "dial 2 for b", "open b on 2"])
        world.pass(.milliseconds(101))
        #expect(driver.did == ["dial 3 for c"])
        #expect(world.violations() == [])
    }

    @Test func aBrokerThatIsBusyIsLeftAloneForAWhile() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1)
        driver.lose(1, .init(why: "server busy", isBrokerBusy: true))
        driver.ask("b")
        #expect(driver.plan.deadline == world.now + .seconds(1))
        world.pass(.seconds(1))
        #expect(driver.did == ["dial 1 for a", "open a on 1", "dial 2 for b"])
        #expect(world.violations() == [])
    }

    @Test func thePauseThatTheBrokerAsksForIsKept() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask("a")
        driver.fail(1, .init(why: "quota", pause: .seconds(20)))
        driver.ask("b")
        #expect(driver.plan.deadline == world.now + .seconds(20))
        driver.answer()
        #expect(driver.plan.deadline == world.now + .seconds(20))
        world.pass(.seconds(20))
        #expect(driver.did == ["dial 1 for a", "a unreachable: quota", "dial 2 for b"])
        driver.ready(2)
        driver.lose(2, .init(why: "quota", pause: .seconds(20)))
        driver.ask("c")
        #expect(driver.plan.deadline == world.now + .seconds(20))
        #expect(world.violations() == [])
    }

    /// A session that a busy broker refuses is like a refused handshake: the way is not to blame.
    @Test func aBrokerThatIsTooBusyForASessionIsNotLeftForTLS() {
        let world = PlanWorld(.plan(fallback: true))
        let driver = world.driver()
        driver.ask("a")
        driver.fail(1, .init(why: "server busy", isBrokerBusy: true, failure: .network))
        #expect(driver.did == ["dial 1 for a", "a unreachable: server busy"])
        #expect(world.gate.chosen == .quic(0))
        #expect(world.violations() == [])
    }

    @Test func thePathThatAnswersLetsAllGo() {
        let world = PlanWorld(.plan())
        let first = world.driver()
        let second = world.driver()
        first.ask("a")
        first.fail(1)
        first.ask("b")
        second.ask(all: "c", "d")
        _ = first.did
        first.answer(0)
        #expect(first.did == ["dial 2 for b"])
        #expect(second.did == ["dial 1 for c", "dial 2 for d"])
        #expect(world.violations() == [])
    }

    @Test func eachPurposeHasABackoffOfItsOwn() {
        let world = PlanWorld(.plan(.dataStream))
        let old = world.driver(.gateway(.v3_1_1))
        let new = world.driver(.gateway(.v5_0))
        new.ask("a")
        new.fail(1, nil, "unsupported protocol version")
        old.ask("b")
        #expect(old.did == ["dial 1 for b"])
        #expect(old.plan.presentFailure(seeing: old) == nil)
        #expect(new.plan.presentFailure(seeing: new) == "unsupported protocol version")
        #expect(world.violations() == [])
    }
}
