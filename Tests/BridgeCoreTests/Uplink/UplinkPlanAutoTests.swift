import NIOCore
import Testing

@testable import BridgeCore

/// The mapping `auto`: the server chooses.
@Suite struct UplinkPlanAutoTests {
    private let world = PlanWorld(.plan(.auto))

    @Test func theFirstDeviceFindsOutThatConnectionsAreShared() {
        let driver = world.driver()
        driver.ask(all: "a", "b", "c")
        #expect(driver.did == ["dial 1 for a"])
        driver.ready(1, shared: true)
        #expect(
            driver.did == ["news: mux", "open a on 1", "open b on 1, may come back", "open c on 1, may come back"])
        #expect(world.violations() == [])
    }

    @Test func theFirstDeviceFindsOutThatEachHasItsOwn() {
        let driver = world.driver()
        driver.ask(all: "a", "b", "c")
        driver.ready(1)
        #expect(
            driver.did == ["dial 1 for a", "news: connection", "open a on 1", "dial 2 for b", "dial 3 for c"])
        driver.ready(2)
        #expect(driver.did == ["open b on 2"])
        #expect(world.violations() == [])
    }

    @Test func aServerThatChangesFromOneToTheOtherIsFollowed() {
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1)
        driver.ask("b")
        _ = driver.did
        driver.ready(2, shared: true)
        #expect(driver.did == ["news: mux", "open b on 2"])
        driver.ask("c")
        #expect(driver.did == ["open c on 2, may come back"])
        world.pass(.seconds(2))
        driver.lose(2)
        driver.ask("d")
        #expect(driver.did == ["news: lost with 2", "dial 3 for d"])
        driver.ready(3)
        #expect(driver.did == ["news: connection", "open d on 3"])
        driver.ask("e")
        #expect(driver.did == ["dial 4 for e"])
        #expect(world.violations() == [])
    }

    /// The connection must not get a patient device's idle timeout before it is known that the device has it alone.
    @Test func aConnectionThatMayBeSharedHasTheUsualIdleTimeout() {
        let driver = world.driver()
        driver.ask("a", keepAlive: .seconds(600))
        #expect(driver.connection(1)?.dial.idleTimeout == .seconds(60))
        driver.ready(1)
        driver.ask("b", keepAlive: .seconds(600))
        #expect(driver.connection(2)?.dial.idleTimeout == .seconds(910))
        #expect(world.violations() == [])
    }

    /// The same, if no device has come yet.
    @Test(arguments: [true, false]) func theFirstInStockHasTheUsualIdleTimeout(isShared: Bool) {
        let driver = world.driver(stock: 1)
        driver.devicesMayCome()
        #expect(driver.connection(1)?.dial.idleTimeout == .seconds(60))
        driver.ready(1, shared: isShared)
        // A device with a connection to itself needs more, so another one follows.
        #expect(driver.connection(2)?.dial.idleTimeout == (isShared ? nil : .seconds(100)))
        #expect(world.violations() == [])
    }

    @Test func theStockFindsOutAsWell() {
        let driver = world.driver(stock: 2)
        driver.devicesMayCome()
        #expect(driver.did == ["dial 1 for the stock"])
        driver.ask("a")
        #expect(driver.did == [])
        driver.ready(1)
        #expect(
            driver.did == [
                "news: connection", "news: stocked", "open a on 1, may come back", "dial 2 for the stock",
            ])
        driver.ready(2)
        #expect(driver.did == ["news: stocked", "dial 3 for the stock"])
        #expect(world.violations() == [])
    }

    @Test func whatTurnsOutToBeSharedIsNotInStock() {
        let driver = world.driver(stock: 2)
        driver.devicesMayCome()
        driver.ready(1, shared: true)
        #expect(driver.did == ["dial 1 for the stock", "news: mux", "news: stocked"])
        #expect(driver.plan.stock.connections.isEmpty)
        driver.ask("a")
        #expect(driver.did == ["open a on 1, may come back"])
        #expect(world.violations() == [])
    }
}
