import NIOCore
import Testing

@testable import BridgeCore

/// Connections that devices share.
@Suite struct UplinkPlanSharedTests {
    @Test func devicesGoToTheOldestConnectionWithRoomAndTheNextIsPrepared() {
        let world = PlanWorld(.plan(.mux, devicesPerConnection: 2))
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1, shared: true)
        #expect(driver.did == ["dial 1 for a", "open a on 1"])
        driver.ask("b")
        #expect(driver.did == ["open b on 1, may come back", "dial 2 for nobody"])
        driver.ready(2, shared: true)
        driver.ask("c")
        #expect(driver.did == ["open c on 2, may come back"])
        driver.leave("a")
        driver.ask("d")
        #expect(driver.did == ["open d on 1, may come back"])
        #expect(world.violations() == [])
    }

    /// With a reserve of a tenth, the tenth of ten devices has the next connection made, without an eleventh device.
    @Test func theNextConnectionIsMadeWhenATenthIsLeft() {
        let world = PlanWorld(.plan(.mux, devicesPerConnection: 20))
        let driver = world.driver()
        driver.ask("1")
        driver.ready(1, shared: true)
        for number in 2...18 { driver.ask("\(number)") }
        #expect(driver.did.filter { $0.hasPrefix("dial") } == ["dial 1 for 1"])
        driver.ask("19")
        #expect(driver.did == ["open 19 on 1, may come back", "dial 2 for nobody"])
        #expect(world.violations() == [])
    }

    /// As many connections are made as the waiting devices will fill, and the one that the first of them has begun.
    @Test func aCrowdMakesNoMoreConnectionsThanItNeeds() {
        let world = PlanWorld(.plan(.mux, devicesPerConnection: 2))
        let driver = world.driver()
        let dials = ["a", "b", "c", "d", "e", "f"].map { name -> [String] in
            driver.ask(name)
            return driver.did
        }
        #expect(dials == [["dial 1 for a"], [], ["dial 2 for b"], [], [], ["dial 3 for c"]])
        driver.ready(1, shared: true)
        #expect(driver.did == ["open a on 1", "open d on 1, may come back"])
        driver.ready(2, shared: true)
        #expect(driver.did == ["open b on 2", "open e on 2, may come back"])
        driver.ready(3, shared: true)
        #expect(driver.did == ["open c on 3", "open f on 3, may come back", "dial 4 for nobody"])
        #expect(world.violations() == [])
    }

    @Test func eightConnectionsAreMadeAtOnceAndNoMore() {
        let world = PlanWorld(.plan(.mux, devicesPerConnection: 1))
        let driver = world.driver()
        for number in 1...40 { driver.ask("\(number)") }
        for number in 1...20 {
            #expect(driver.plan.dialing.count == 8)
            driver.ready(number, shared: true)
        }
        // The handshake window is not what limits them.
        #expect(world.gate.policy.windows[0].limit == 9)
        #expect(world.violations() == [])
    }

    @Test func aServerThatAllowsNoStreamIsAskedForNoOtherConnection() {
        let world = PlanWorld(.plan(.mux))
        let driver = world.driver()
        driver.ask(all: "a", "b")
        driver.ready(1, shared: true, streams: 0)
        #expect(driver.did == ["dial 1 for a", "open a on 1"])
        #expect(
            driver.plan.presentFailure(seeing: driver) == "the broker allows no stream for devices on a connection")
        driver.room(on: 1, streams: 1)
        #expect(driver.did == ["open a on 1, may come back", "dial 2 for b"])
        #expect(driver.plan.presentFailure(seeing: driver) == nil)
        #expect(world.violations() == [])
    }

    @Test func aConnectionThatRefusesAStreamGetsNoDeviceUntilItHasRoom() {
        let world = PlanWorld(.plan(.mux))
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1, shared: true)
        driver.connection(1)?.refusesStreams = true
        driver.ask("b")
        #expect(
            driver.did == ["dial 1 for a", "open a on 1", "open b on 1, may come back", "dial 2 for b"])
        driver.ask("c")
        #expect(driver.did == [])
        driver.room(on: 1)
        #expect(driver.did == ["open c on 1, may come back"])
        #expect(world.violations() == [])
    }

    @Test func theServersLimitOfStreamsIsObeyed() {
        let world = PlanWorld(.plan(.mux, devicesPerConnection: 10))
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1, shared: true, streams: 2)
        driver.ask("b")
        #expect(
            driver.did == ["dial 1 for a", "open a on 1", "open b on 1, may come back", "dial 2 for nobody"])
        driver.ready(2, shared: true, streams: 2)
        driver.ask(all: "c", "d")
        #expect(
            driver.did == ["open c on 2, may come back", "open d on 2, may come back", "dial 3 for nobody"])
        #expect(world.violations() == [])
    }

    @Test func whereTheServerTakesNoFurtherConnectionDevicesWaitForRoom() {
        let world = PlanWorld(.plan(.mux, devicesPerConnection: 1))
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1, shared: true)
        driver.fail(2, nil, "not authorized")
        driver.ask("b")
        _ = driver.did
        world.pass(.seconds(1))
        #expect(driver.did == ["dial 3 for b"])
        driver.fail(3, nil, "not authorized")
        #expect(driver.did == [])
        #expect(driver.plan.presentFailure(seeing: driver) == "not authorized")
        driver.leave("a")
        #expect(driver.did == ["open b on 1, may come back"])
        #expect(world.violations() == [])
    }

    @Test func aSilentConnectionGetsNobodyAndTheOthersHaveToShowThatTheyAreBetter() {
        let world = PlanWorld(.plan(.mux, devicesPerConnection: 2))
        let driver = world.driver()
        driver.ask(all: "a", "b")
        driver.ready(1, shared: true)
        driver.ready(2, shared: true)
        _ = driver.did
        driver.silence(1)
        #expect(driver.did == ["doubt 2"])
        driver.ask("c")
        #expect(driver.did == ["dial 3 for c"])
        driver.room(on: 2)
        driver.ready(3, shared: true)
        #expect(driver.did == ["open c on 3"])
        driver.ask("d")
        #expect(driver.did == ["open d on 2, may come back"])
        #expect(world.violations() == [])
    }

    /// A path that is silent for a moment is no reason to make another connection.
    @Test func silenceAloneMakesNoConnection() {
        let world = PlanWorld(.plan(.mux))
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1, shared: true)
        _ = driver.did
        driver.silence(1)
        #expect(driver.did == [])
        #expect(world.violations() == [])
    }

    @Test func anEmptyConnectionIsClosedAfterTheIdleTimeout() {
        let world = PlanWorld(.plan(.mux))
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1, shared: true)
        driver.leave("a")
        world.pass(.seconds(30))
        driver.ask("b")
        driver.leave("b")
        _ = driver.did
        world.pass(.seconds(59))
        #expect(driver.did == [])
        world.pass(.seconds(1))
        #expect(driver.did == ["retire 1"])
        #expect(driver.plan.deadline == nil)
        #expect(world.violations() == [])
    }

    @Test func oneEmptyConnectionIsKeptForDevicesToComeIfThereIsAStock() {
        let world = PlanWorld(.plan(.mux, devicesPerConnection: 1))
        let driver = world.driver(stock: 1)
        driver.ask("a")
        driver.ready(1, shared: true)
        driver.ready(2, shared: true)
        driver.leave("a")
        _ = driver.did
        world.pass(.seconds(600))
        #expect(driver.did == ["retire 1"])
        #expect(driver.plan.shared.count == 1)
        #expect(world.violations() == [])
    }

    /// A connection made in advance, or for a device that has left, may be needed, but is not kept forever.
    @Test func aConnectionThatNobodyCameToIsClosed() {
        let world = PlanWorld(.plan(.mux, endpoints: 2))
        let driver = world.driver()
        driver.ask("a")
        driver.leave("a")
        driver.ready(1, shared: true)
        #expect(driver.did == ["dial 1 for a"])
        world.pass(.seconds(60))
        #expect(driver.did == ["retire 1"])
        #expect(world.violations() == [])
    }

    @Test func aConnectionThatRefusedItsFirstStreamIsClosedToo() {
        let world = PlanWorld(.plan(.mux))
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1, shared: true, streams: 0)
        driver.leave("a")
        _ = driver.did
        world.pass(.seconds(60))
        #expect(driver.did == ["retire 1"])
        #expect(world.violations() == [])
    }

    @Test func aDeviceThatWaitedForAStreamOnAClosedConnectionGetsAnother() {
        let world = PlanWorld(.plan(.mux))
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1, shared: true, streams: 0)
        _ = driver.did
        world.pass(.seconds(60))
        #expect(driver.did == ["retire 1", "dial 2 for a"])
        #expect(world.violations() == [])
    }

    /// The reason may be something that its devices send.
    @Test func aConnectionThatBreaksAtOnceIsNotMadeAnewForEver() {
        let world = PlanWorld(.plan(.mux))
        let driver = world.driver()
        for (number, pause) in [(1, TimeAmount.seconds(1)), (2, .seconds(2)), (3, .seconds(4))] {
            driver.ask("\(number)")
            driver.ready(number, shared: true)
            driver.lose(number, .init(why: "a bad packet"))
            _ = driver.did
            driver.ask("next")
            #expect(driver.did == [])
            #expect(driver.plan.deadline == world.now + (number == 1 ? pause : .seconds(1)))
            driver.leave("next")
            world.pass(.seconds(4))
        }
        #expect(world.violations() == [])
    }

    @Test func devicesThatComeBackGoBeforeThoseThatWait() {
        let world = PlanWorld(.plan(.mux, devicesPerConnection: 3))
        let driver = world.driver()
        driver.ask(all: "a", "b")
        driver.ready(1, shared: true)
        driver.connection(1)?.refusesStreams = true
        driver.ask("c")
        world.pass(.seconds(2))
        _ = driver.did
        driver.lose(1, back: ["b"])
        #expect(driver.did == ["news: lost with 2", "news: came back"])
        driver.ready(2, shared: true)
        #expect(driver.did == ["open c on 2", "open b on 2, may come back"])
        #expect(world.violations() == [])
    }

    /// The old reason no longer applies once there is no connection.
    @Test func aFurtherConnectionsFailureIsForgottenWithTheLastConnection() {
        let world = PlanWorld(.plan(.mux, devicesPerConnection: 1))
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1, shared: true)
        driver.ready(2, shared: true)
        driver.ask("b")
        driver.fail(3, nil, "too many connections")
        driver.lose(2)
        #expect(driver.plan.presentFailure(seeing: driver) == "too many connections")
        driver.lose(1)
        #expect(driver.plan.presentFailure(seeing: driver) == nil)
        #expect(world.violations() == [])
    }

    /// The broker shows its operator each session of the gateway, so none is made in advance; and more than CONNECT may
    /// be under way in one, so no leg comes back.
    @Test func aSessionOfTheGatewayIsMadeForADeviceOnly() {
        let world = PlanWorld(.plan(.dataStream))
        let driver = world.driver(.gateway(.v5_0))
        for number in 1...11 { driver.ask("\(number)") }
        // Nine devices are expected in each.
        #expect(driver.did == ["dial 1 for 1", "dial 2 for 2"])
        driver.ready(1, shared: true, streams: 9)
        driver.ready(2, shared: true, streams: 2)
        // Both are full.
        #expect(driver.did.filter { $0.hasPrefix("dial") || $0.hasSuffix("back") } == [])
        #expect(driver.plan.legs.count == 11 && driver.plan.line.isEmpty)
        #expect(world.violations() == [])
    }
}
