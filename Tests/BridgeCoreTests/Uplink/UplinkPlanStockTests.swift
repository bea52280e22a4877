import NIOCore
import Testing

@testable import BridgeCore

/// Connections made ahead of time.
@Suite struct UplinkPlanStockTests {
    /// Fills the stock with that many connections, which are the first ones.
    private func stock(_ count: Int, in world: PlanWorld) -> PlanDriver {
        let driver = world.driver(stock: count)
        driver.devicesMayCome()
        for number in 1...count { driver.ready(number) }
        _ = driver.did
        return driver
    }

    @Test func oneIsMadeAtATime() {
        let world = PlanWorld(.plan())
        let driver = world.driver(stock: 2)
        #expect(driver.did == [])
        driver.devicesMayCome()
        #expect(driver.did == ["dial 1 for the stock"])
        driver.devicesMayCome()
        #expect(driver.did == [])
        driver.ready(1)
        #expect(driver.did == ["news: stocked", "dial 2 for the stock"])
        driver.ready(2)
        #expect(driver.did == ["news: stocked"])
        #expect(driver.plan.deadline == world.now + UplinkPlan.proof)
        #expect(world.violations() == [])
    }

    @Test func aDeviceTakesTheOldestAndAnotherIsMadeInItsPlace() {
        let world = PlanWorld(.plan())
        let driver = stock(2, in: world)
        driver.ask("a")
        #expect(driver.did == ["open a on 1, may come back", "dial 3 for the stock"])
        driver.leave("a")
        #expect(driver.did == ["close 1"])
        #expect(world.violations() == [])
    }

    @Test func devicesDoNotWaitForThoseThatAreMissing() {
        let world = PlanWorld(.plan())
        let driver = stock(1, in: world)
        driver.ask(all: "a", "b")
        #expect(driver.did == ["open a on 1, may come back", "dial 2 for the stock", "dial 3 for b"])
        #expect(world.violations() == [])
    }

    /// The server has ended the first at once, and the network takes the second before it has shown anything.
    @Test func aStockThatTheNetworkTookIsMadeAgain() {
        let world = PlanWorld(.plan())
        let driver = stock(1, in: world)
        driver.lose(1)
        world.pass(.seconds(60))
        driver.ready(2)
        _ = driver.did
        driver.connection(2)?.isSilent = true
        driver.lose(2)
        #expect(driver.did == ["news: stocked one ended", "dial 3 for the stock"])
        #expect(world.violations() == [])
    }

    @Test func withNoneWantedNoneIsMade() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.devicesMayCome()
        world.pass(.seconds(600))
        #expect(driver.did == [])
        #expect(driver.plan.deadline == nil)
    }

    /// From now on the server lets devices share connections.
    @Test func theOldestGoFirstWhenFewerAreWanted() {
        let world = PlanWorld(.plan(.auto))
        let driver = stock(2, in: world)
        // The first one found out that devices do not share, and is replaced.
        driver.ready(3)
        #expect(driver.did == ["news: stocked", "close 1"])
        driver.ask("a", keepAlive: .seconds(600))
        #expect(driver.did == ["dial 4 for a"])
        driver.ready(4, shared: true)
        #expect(driver.did == ["news: mux", "open a on 4", "close 2", "close 3"])
        #expect(world.violations() == [])
    }

    @Test func anOldOneIsKeptUntilItsReplacementHasCome() {
        let world = PlanWorld(.plan())
        let driver = stock(1, in: world)
        world.pass(.seconds(299))
        #expect(driver.did == [])
        world.pass(.seconds(1))
        #expect(driver.did == ["dial 2 for the stock"])
        driver.fail(2)
        #expect(driver.did == [])
        #expect(driver.plan.stock.connections.count == 1)
        world.pass(.seconds(1))
        driver.ready(3)
        #expect(driver.did == ["dial 3 for the stock", "news: stocked", "close 1"])
        #expect(driver.plan.deadline == world.now + UplinkPlan.proof)
        #expect(world.violations() == [])
    }

    /// The keep-alive of 25 s does not hold a connection that the server ends sooner.
    @Test(arguments: [(10, 8_000), (2, 5_000), (31, 24_800), (32, 300_000), (0, 300_000)] as [(Int, Int64)])
    func itIsReplacedBeforeTheServerEndsIt(idleTimeout: Int, milliseconds: Int64) {
        let world = PlanWorld(.plan())
        let driver = world.driver(stock: 1)
        driver.devicesMayCome()
        driver.ready(1, idleTimeout: .seconds(idleTimeout))
        _ = driver.did
        world.pass(.milliseconds(milliseconds) - .nanoseconds(1))
        #expect(driver.did == [])
        world.pass(.nanoseconds(1))
        #expect(driver.did == ["dial 2 for the stock"])
        #expect(world.violations() == [])
    }

    @Test func failuresMakeItSeldom() {
        let world = PlanWorld(.plan())
        let driver = world.driver(stock: 1)
        driver.devicesMayCome()
        for (number, pause) in [1, 2, 4, 8].enumerated() {
            #expect(driver.did == ["dial \(number + 1) for the stock"])
            driver.fail(number + 1)
            #expect(driver.did == [])
            #expect(driver.plan.deadline == world.now + .seconds(Int64(pause)))
            world.pass(.seconds(Int64(pause)))
        }
        driver.fail(5)
        _ = driver.did
        // A device gets through.
        driver.ask("a")
        driver.ready(6)
        #expect(driver.did == ["dial 6 for a", "open a on 6", "dial 7 for the stock"])
        #expect(world.violations() == [])
    }

    /// Handshakes work, but the connections are ended at once. Without a pause, a new one would be made per round trip.
    @Test func aServerThatClosesThemIsNotHammered() {
        let world = PlanWorld(.plan())
        let driver = world.driver(stock: 2)
        driver.devicesMayCome()
        driver.ready(1)
        driver.lose(1, .init(why: "closed"))
        driver.ready(2)
        driver.lose(2, .init(why: "closed"))
        _ = driver.did
        world.pass(.seconds(1))
        for (number, pause) in [(3, 2), (4, 4), (5, 8)] as [(Int, Int64)] {
            #expect(driver.did == ["dial \(number) for the stock"])
            driver.ready(number)
            driver.lose(number, .init(why: "closed"))
            #expect(driver.did == ["news: stocked", "news: stocked one ended"])
            #expect(driver.plan.deadline == world.now + .seconds(pause))
            world.pass(.seconds(pause))
        }
        // This lasts until one has stood for a while. Only then is a second one made.
        driver.ready(6)
        #expect(driver.did == ["dial 6 for the stock", "news: stocked"])
        world.pass(UplinkPlan.proof)
        #expect(driver.did == ["dial 7 for the stock"])
        #expect(world.violations() == [])
    }

    /// A device that gets through says nothing about a server that ends connections without devices.
    @Test func onlyOneThatStandsEndsTheBackoff() {
        let world = PlanWorld(.plan())
        let driver = world.driver(stock: 1)
        driver.devicesMayCome()
        driver.ready(1)
        driver.lose(1, .init(why: "closed"))
        _ = driver.did
        driver.ask("a")
        driver.ready(2)
        #expect(driver.did == ["dial 2 for a", "open a on 2"])
        world.pass(.seconds(1))
        driver.ready(3)
        _ = driver.did
        world.pass(.seconds(30))
        driver.lose(3, .init(why: "closed"))
        #expect(driver.did == ["news: stocked one ended", "dial 4 for the stock"])
        #expect(world.violations() == [])
    }

    @Test func aLossToTheNetworkSaysNothingAboutWhatTheServerWants() {
        let world = PlanWorld(.plan())
        let driver = stock(1, in: world)
        driver.silence(1)
        driver.lose(1)
        #expect(driver.did == ["news: stocked one ended", "dial 2 for the stock"])
        #expect(!driver.plan.isDisturbed)
        #expect(world.violations() == [])
    }

    /// Connections that stand say nothing about those that fail.
    @Test func aProvenOneDoesNotEndTheBackoffOfOthers() {
        let world = PlanWorld(.plan())
        let driver = world.driver(stock: 2)
        driver.devicesMayCome()
        driver.ready(1)
        world.pass(.seconds(40))
        driver.devicesMayCome()
        _ = driver.did
        for (number, pause) in [(2, 1), (3, 2), (4, 4)] as [(Int, Int64)] {
            driver.fail(number)
            #expect(driver.plan.deadline == world.now + .seconds(pause))
            world.pass(.seconds(pause))
            #expect(driver.did == ["dial \(number + 1) for the stock"])
        }
        #expect(world.violations() == [])
    }

    @Test func aDeviceWithALongKeepAliveHasOneOfItsOwnAndTheNextInStockSuitsIt() {
        let world = PlanWorld(.plan())
        let driver = stock(1, in: world)
        #expect(driver.connection(1)?.dial.idleTimeout == .seconds(100))
        driver.ask("patient", keepAlive: .seconds(600))
        #expect(driver.did == ["dial 2 for patient"])
        #expect(driver.connection(2)?.dial.idleTimeout == .seconds(910))
        driver.ask("a")
        #expect(driver.did == ["open a on 1, may come back", "dial 3 for the stock"])
        #expect(driver.connection(3)?.dial.idleTimeout == .seconds(910))
        // There is none in stock for keepalives beyond an hour.
        driver.ask("very patient", keepAlive: .seconds(4_000))
        driver.ready(3)
        driver.ask("b", keepAlive: .seconds(600))
        _ = driver.did
        #expect(driver.connection(5)?.dial.aim == .stock)
        #expect(driver.connection(5)?.dial.idleTimeout == .seconds(910))
        #expect(world.violations() == [])
    }

    @Test func whatIsSilentOrHasNoStreamIsNotTaken() {
        let world = PlanWorld(.plan())
        let driver = stock(3, in: world)
        driver.silence(1)
        driver.connection(2)?.streams = 0
        driver.ask("a")
        #expect(driver.did == ["open a on 3, may come back", "dial 4 for the stock"])
        driver.ask("b")
        #expect(driver.did == ["dial 5 for b"])
        #expect(world.violations() == [])
    }

    /// One connection was dead when it was needed, and the others have not been heard from more recently.
    @Test func aDeviceThatComesBackEmptiesTheStock() {
        let world = PlanWorld(.plan())
        let driver = stock(3, in: world)
        driver.ask("a")
        _ = driver.did
        driver.comeBack("a")
        #expect(driver.did == ["news: came back", "close 1", "close 2", "close 3", "dial 5 for a"])
        driver.ready(5)
        #expect(driver.did == ["open a on 5"])
        #expect(world.violations() == [])
    }
}
