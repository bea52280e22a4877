import NIOCore
import Testing

@testable import BridgeCore

/// A CONNECT that goes out with the handshake of its connection.
@Suite struct UplinkPlanEarlyTests {
    @Test(arguments: [UplinkConfiguration.Mapping.connection, .mux])
    func aLegThatIsEarlyNeedsNoStreamWhenTheHandshakeIsThrough(mapping: UplinkConfiguration.Mapping) {
        let world = PlanWorld(.plan(mapping))
        let driver = world.driver()
        driver.ask("a")
        driver.sendEarly(on: 1)
        driver.ready(1, shared: mapping == .mux)
        #expect(driver.did == ["dial 1 for a"])
        driver.leave("a")
        #expect(driver.did == (mapping == .mux ? [] : ["close 1"]))
        #expect(world.violations() == [])
    }

    @Test func othersComeWhenTheConnectionStands() {
        let world = PlanWorld(.plan(.mux))
        let driver = world.driver()
        driver.ask(all: "a", "b")
        driver.sendEarly(on: 1)
        driver.ready(1, shared: true)
        #expect(driver.did == ["dial 1 for a", "open b on 1, may come back"])
        #expect(world.violations() == [])
    }

    @Test func whatWasSentOnAConnectionThatFailsGoesAgainOnTheNextWay() {
        let world = PlanWorld(.plan(endpoints: 2))
        let driver = world.driver()
        driver.ask("a")
        driver.sendEarly(on: 1)
        driver.fail(1)
        #expect(driver.did == ["dial 1 for a", "dial 2 for a over quic1"])
        driver.sendEarly(on: 2)
        driver.fail(2)
        #expect(driver.did == ["a unreachable: over QUIC: no answer; over QUIC: no answer"])
        #expect(world.violations() == [])
    }

    /// The device is gone, but the failure says as much about the way as any other.
    @Test func aFailedHandshakeCountsThoughItsDeviceHasLeft() {
        let world = PlanWorld(.plan(endpoints: 2))
        let driver = world.driver()
        driver.ask("a")
        driver.sendEarly(on: 1)
        driver.fail(1, UplinkConnectionEnd(why: "no answer", failure: .unanswered), hasDeviceLeft: true)
        #expect(driver.did == ["dial 1 for a"])
        #expect(world.gate.chosen == .quic(1) && world.gate.handshakes(to: 0) == 0 && driver.plan.isEmpty)
        driver.ask("b")
        #expect(driver.did == ["dial 2 for b over quic1"])
        #expect(world.violations() == [])
    }

    @Test func aDeviceThatLeavesEarlyTakesItsConnectionAlong() {
        let world = PlanWorld(.plan(.mux, endpoints: 2))
        let driver = world.driver()
        driver.ask(all: "a", "b")
        driver.sendEarly(on: 1)
        driver.leave("a")
        #expect(driver.did == ["dial 1 for a", "close 1", "dial 2 for b"])
        #expect(world.gate.handshakes(to: 0) == 1)
        #expect(world.violations() == [])
    }

    /// No CONNECT is on two ways, so it has to wait for the outcome of the first connection.
    @Test func anEarlyDeviceWaitsWhenTheWayHasFailedForOthers() {
        let world = PlanWorld(.plan(endpoints: 2))
        let driver = world.driver()
        driver.ask(all: "a", "b", "c")
        driver.sendEarly(on: 1)
        driver.fail(2)
        #expect(driver.did.last == "close 3")
        #expect(driver.plan.legs.values.filter(\.place.hasSent).count == 1)
        driver.ready(1)
        driver.leave("a")
        #expect(driver.did.last == "close 1")
        #expect(world.violations() == [])
    }

    @Test func oneWhoseDeviceHasLeftIsEarlyForNobody() {
        let world = PlanWorld(.plan(endpoints: 2))
        let driver = world.driver()
        let leg = driver.ask("a")
        driver.leave("a")
        driver.event { $0.legSentEarly(leg) }
        driver.ready(1)
        #expect(driver.did == ["dial 1 for a", "close 1"])
        #expect(world.violations() == [])
    }
}
