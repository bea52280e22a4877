import NIOCore
import Testing

@testable import BridgeCore

/// Which legs wait, which go first, and which go again.
@Suite struct UplinkPlanLineTests {
    @Test func eachDeviceHasAConnectionOfItsOwn() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask(all: "a", "b")
        #expect(driver.did == ["dial 1 for a", "dial 2 for b"])
        driver.ready(2)
        #expect(driver.did == ["open b on 2"])
        driver.ready(1)
        #expect(driver.did == ["open a on 1"])
        driver.leave("a")
        #expect(driver.did == ["close 1"])
        #expect(world.violations() == [])
    }

    /// The window lets eight handshakes begin.
    @Test func devicesAreServedInTheOrderInWhichTheyCame() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        for number in 1...11 { driver.ask("\(number)") }
        #expect(driver.did == (1...8).map { "dial \($0) for \($0)" })
        driver.leave("10")
        #expect(driver.did == [])
        driver.ready(1)
        #expect(driver.did == ["open 1 on 1", "dial 9 for 9", "dial 10 for 11"])
        #expect(world.violations() == [])
    }

    @Test func devicesWhoseEndpointFailsGoBackToTheFrontInOrder() {
        let world = PlanWorld(.plan(endpoints: 2))
        let driver = world.driver()
        for number in 1...9 { driver.ask("\(number)") }
        _ = driver.did
        driver.fail(1)
        // The first one takes the other way at once, alone until that has worked.
        #expect(driver.did == ["dial 9 for 1 over quic1"] + (2...8).reversed().map { "close \($0)" })
        driver.ready(9)
        #expect(driver.did == ["open 1 on 9"] + (2...9).map { "dial \($0 + 8) for \($0) over quic1" })
        #expect(world.violations() == [])
    }

    @Test func whenNoWayIsLeftTheDeviceHearsWhy() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask("a")
        driver.fail(1, .network, "the network is unreachable")
        #expect(driver.did == ["dial 1 for a", "a unreachable: the network is unreachable"])
        #expect(driver.plan.presentFailure(seeing: driver) == "the network is unreachable")
        #expect(driver.plan.legs.isEmpty && driver.plan.connections.isEmpty)
        // The broker is verified and refuses, which is no fault of the way.
        world.pass(.seconds(1))
        driver.ask("b")
        driver.fail(2, nil, "not authorized")
        #expect(driver.did == ["dial 2 for b", "b unreachable: not authorized"])
        #expect(world.violations() == [])
    }

    @Test func theReasonNamesAllWaysThatFailed() {
        let world = PlanWorld(.plan(fallback: true))
        let driver = world.driver()
        driver.ask("a")
        driver.fail(1, .unanswered, "no answer")
        driver.fail(2, .certificate, "expired")
        #expect(
            driver.did == [
                "dial 1 for a", "dial 2 for a over tls", "a unreachable: over QUIC: no answer; over TLS: expired",
            ])
        #expect(world.violations() == [])
    }

    /// The network failed early, so the same way is tried 1, 2 and 4 s later, before TLS.
    @Test func theSameWayIsTriedAgainAfterAPause() {
        let world = PlanWorld(.plan(fallback: true))
        let driver = world.driver()
        driver.ask(all: "a")
        for (number, pause) in [(1, TimeAmount.seconds(1)), (2, .seconds(2)), (3, .seconds(4))] {
            #expect(driver.did == ["dial \(number) for a"])
            driver.fail(number, .network)
            #expect(driver.did == [])
            #expect(driver.plan.deadline == world.now + pause)
            world.pass(pause - .nanoseconds(1))
            #expect(driver.did == [])
            world.pass(.nanoseconds(1))
        }
        driver.fail(4, .network)
        #expect(driver.did == ["dial 4 for a", "dial 5 for a over tls"])
        #expect(world.violations() == [])
    }

    /// Early data is still under way when the endpoint fails for others. Its own failure then shows nothing new.
    @Test func aFailureThatIsOldNewsSendsTheDeviceAgain() {
        let world = PlanWorld(.plan(endpoints: 2))
        let driver = world.driver()
        driver.ask(all: "a", "b")
        driver.sendEarly(on: 1)
        world.pass(.seconds(1))
        driver.fail(2)
        driver.ready(3)
        #expect(driver.did == ["dial 1 for a", "dial 2 for b", "dial 3 for b over quic1", "open b on 3"])
        driver.fail(1)
        #expect(driver.did == ["dial 4 for a over quic1"])
        #expect(world.violations() == [])
    }

    @Test func aRefusedDeviceGoesAgainBeforeTheOthers() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        for number in 1...9 { driver.ask("\(number)") }
        _ = driver.did
        driver.fail(1, .refused, "too many at once")
        // The server is reachable, so no device waits for its return.
        #expect(!driver.plan.awaitsPath && driver.watches == 0)
        #expect(driver.plan.presentFailure(seeing: driver) == "too many at once")
        for number in 2...4 { driver.ready(number) }
        #expect(driver.did == ["open 2 on 2", "open 3 on 3", "open 4 on 4"])
        world.pass(.milliseconds(8))
        driver.ready(5)
        #expect(driver.did == ["open 5 on 5", "dial 9 for 1"])
        #expect(world.violations() == [])
    }

    @Test func aStreamThatIsNotAllowedYetIsWaitedFor() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1, streams: 0)
        #expect(driver.did == ["dial 1 for a", "open a on 1"])
        #expect(driver.plan.legs.values.map(\.place.hasSent) == [false])
        driver.room(on: 1, streams: 0)
        #expect(driver.did == ["open a on 1"])
        driver.room(on: 1, streams: 1)
        #expect(driver.did == ["open a on 1"])
        #expect(driver.plan.legs.values.map(\.place.hasSent) == [true])
        #expect(world.violations() == [])
    }

    @Test func aStreamThatCannotBeMakesTheLegUnreachable() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1, streams: 0)
        driver.room(on: 1, streams: 1)
        _ = driver.did
        driver.failStream("a", "the connection is closing")
        #expect(driver.did == ["close 1", "a unreachable: the connection is closing"])
        #expect(world.violations() == [])
    }

    @Test func theBridgeListensForTheBrokerWhileDevicesWaitAfterALoss() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1)
        driver.ask("b")
        #expect(!driver.plan.awaitsPath && driver.watches == 0)
        driver.lose(1)
        #expect(driver.plan.awaitsPath)
        driver.ask("c")
        #expect(driver.watches > 0)
        _ = driver.did
        driver.answer()
        #expect(driver.did == ["hurry 2", "hurry 3"])
        driver.ready(2)
        #expect(!driver.plan.awaitsPath)
        #expect(world.violations() == [])
    }

    /// The leg has no stream on the connection, so it would not notice the loss.
    @Test func aConnectionThatIsLostBeforeItsStreamIsOpenSendsItsLegAgain() {
        let world = PlanWorld(.plan(.auto))
        let driver = world.driver()
        driver.ask("a")
        driver.interruption = {
            driver.interruption = nil
            driver.lose(1, .init(why: "gone"))
        }
        driver.ready(1)
        #expect(driver.did == ["dial 1 for a", "news: connection", "open a on one that is over", "dial 2 for a"])
        #expect(world.violations() == [])
    }
}
