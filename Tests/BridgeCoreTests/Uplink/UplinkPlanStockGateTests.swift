import NIOCore
import Testing

@testable import BridgeCore

/// Connections made ahead of time beside those that devices need, and when the way changes.
@Suite struct UplinkPlanStockGateTests {
    @Test func afterAFailureItMayBeTheOneThatGoesAhead() {
        let world = PlanWorld(.plan())
        let driver = world.driver(stock: 1)
        driver.ask("a")
        driver.fail(1)
        driver.devicesMayCome()
        #expect(driver.did.contains("a unreachable: no answer"))
        world.pass(.seconds(2))
        _ = driver.did
        #expect(driver.connection(2)?.dial.aim == .stock)
        driver.ask("b")
        #expect(driver.did == [])
        driver.ready(2)
        #expect(driver.did == ["news: stocked", "open b on 2, may come back", "dial 3 for the stock"])
        #expect(world.violations() == [])
    }

    @Test func itDoesNotGoBesideTheOneThatGoesAhead() {
        let world = PlanWorld(.plan())
        let driver = world.driver(stock: 1)
        driver.devicesMayCome()
        driver.ready(1)
        driver.ask("a")
        driver.ready(2)
        driver.ask("b")
        _ = driver.did
        driver.lose(1)
        driver.lose(2, .init(why: "closed"))
        driver.ask("c")
        driver.ask("d")
        // At most one of them goes, because a connection was lost to the network.
        #expect(driver.connections.values.count { !$0.isReady && $0.dial.aim != .probe } <= 2)
        #expect(world.violations() == [])
    }

    @Test func aBrokerThatIsGoneIsNotAskedForAllOfThemAtOnce() {
        let world = PlanWorld(.plan())
        let driver = world.driver(stock: 4)
        driver.devicesMayCome()
        for number in 1...4 { driver.ready(number) }
        _ = driver.did
        for number in 1...4 { driver.lose(number, .init(why: "closed")) }
        var begun = 0
        for _ in 1...10 {
            world.pass(.milliseconds(500))
            let dials = driver.did.filter { $0.hasPrefix("dial") }
            #expect(dials.count <= 1)
            begun += dials.count
            for number in driver.connections.values.map(\.number) { driver.fail(number) }
        }
        #expect(begun <= 3)
        #expect(world.violations() == [])
    }

    @Test func aFailureInStockClosesTheGateForNobody() {
        let world = PlanWorld(.plan())
        let driver = world.driver(stock: 1)
        driver.devicesMayCome()
        driver.fail(1)
        driver.ask("a")
        #expect(driver.did == ["dial 1 for the stock", "dial 2 for a"])
        #expect(world.violations() == [])
    }

    @Test func devicesThatWaitForTheirHandshakeGoFirst() {
        let world = PlanWorld(.plan())
        let driver = world.driver(stock: 1)
        for number in 1...9 { driver.ask("\(number)") }
        driver.devicesMayCome()
        #expect(driver.did == (1...8).map { "dial \($0) for \($0)" })
        #expect(driver.plan.deadline == world.now + .milliseconds(100))
        driver.ready(1)
        #expect(driver.did == ["open 1 on 1", "dial 9 for 9", "dial 10 for the stock"])
        #expect(world.violations() == [])
    }

    /// The stock's connection that goes ahead of others may have to wait for a place as well.
    @Test func anAttemptThatHasToWaitForItsPlaceIsMadeLater() {
        let world = PlanWorld(.plan())
        let driver = world.driver(stock: 1)
        driver.devicesMayCome()
        driver.fail(1)
        for number in 1...8 { driver.ask("\(number)") }
        _ = driver.did
        world.pass(.seconds(1))
        #expect(driver.did == [])
        driver.leave("8")
        world.pass(.milliseconds(100))
        #expect(driver.did == ["close 9", "dial 10 for the stock"])
        #expect(world.violations() == [])
    }

    @Test func whatGoesAnotherWayIsClosedAndReplaced() {
        let world = PlanWorld(.plan(endpoints: 2))
        let driver = world.driver(stock: 2)
        driver.devicesMayCome()
        driver.ready(1)
        _ = driver.did
        driver.ask("a", keepAlive: .seconds(600))
        driver.fail(3)
        #expect(
            driver.did == [
                "dial 3 for a", "dial 4 for a over quic1", "close 2", "close 1",
            ])
        driver.ready(4)
        #expect(driver.did == ["open a on 4", "dial 5 for the stock over quic1"])
        #expect(world.violations() == [])
    }

    /// A device that waits for the stock's connection is told when it will not be made.
    @Test func aDeviceThatWaitsForAConnectionThatIsGivenUpDialsItself() {
        let world = PlanWorld(.plan(.mux, endpoints: 2))
        let drivers = [world.driver(stock: 1), world.driver(stock: 1)]
        for driver in drivers { driver.devicesMayCome() }
        drivers[1].ask("a")
        #expect(drivers[1].did == ["dial 1 for the stock"])
        drivers[0].fail(1)
        #expect(drivers[1].did == ["close 1", "dial 2 for a over quic1"])
        #expect(world.violations() == [])
    }

    @Test func overTLSThereIsNoStock() {
        let world = PlanWorld(.plan(fallback: true))
        let driver = world.driver(stock: 2)
        driver.devicesMayCome()
        driver.ready(1)
        _ = driver.did
        driver.fail(2, .alpnMismatch)
        #expect(driver.did == ["close 1"])
        #expect(world.gate.chosen == .tls)
        driver.ask("a")
        driver.ready(3)
        #expect(driver.did == ["dial 3 for a over tls", "open a on 3"])
        world.pass(.seconds(20))
        #expect(driver.did == [])
        #expect(world.violations() == [])
    }

    /// The way is found before the first device comes.
    @Test func theStockFindsTheWay() {
        let world = PlanWorld(.plan(fallback: true))
        let driver = world.driver(stock: 1)
        driver.devicesMayCome()
        driver.fail(1, .unanswered)
        driver.ask("a")
        #expect(driver.did == ["dial 1 for the stock", "dial 2 for a over tls"])
        #expect(world.violations() == [])
    }

    @Test func devicesTakeThemAtTheirPace() {
        let world = PlanWorld(.plan(reconnectsPerSecond: 10))
        let driver = world.driver(stock: 2)
        driver.devicesMayCome()
        driver.ready(1)
        driver.ready(2)
        world.gate.disturbed(at: world.now)
        _ = driver.did
        driver.ask(all: "a", "b")
        #expect(driver.did == ["open a on 1, may come back", "dial 3 for the stock"])
        world.pass(.milliseconds(101))
        #expect(driver.did == ["open b on 2, may come back"])
        #expect(world.violations() == [])
    }

    @Test func oneSharedConnectionIsReadyForTheFirstDevice() {
        let world = PlanWorld(.plan(.mux))
        let driver = world.driver(stock: 3)
        driver.devicesMayCome()
        driver.ready(1, shared: true)
        #expect(driver.did == ["dial 1 for the stock", "news: stocked"])
        // It does not count as alive for as long as some device's keepalive allows.
        #expect(driver.connection(1)?.dial.idleTimeout == .seconds(60))
        driver.ask("a")
        #expect(driver.did == ["open a on 1, may come back"])
        world.pass(.seconds(2))
        driver.lose(1, back: ["a"])
        #expect(driver.did == ["news: lost with 1", "dial 2 for the stock", "news: came back"])
        #expect(world.violations() == [])
    }
}
