import NIOCore
import Testing

@testable import BridgeCore

/// New settings come while devices are there: their plan makes no more connections, and another one does.
@Suite struct UplinkPlanDrainTests {
    private typealias Kind = UplinkPlanLeaveTests.Kind

    private func plans(_ kind: Kind, stock: Int = 0) -> (world: PlanWorld, old: PlanDriver, new: PlanDriver) {
        let world = PlanWorld(.plan(kind.mapping, endpoints: kind.endpoints))
        return (world, world.driver(kind.purpose, stock: stock), world.driver(kind.purpose))
    }

    @Test(arguments: UplinkPlanLeaveTests.Kind.all)
    func whatDevicesUseStaysUntilTheyLeave(kind: UplinkPlanLeaveTests.Kind) {
        let (world, old, new) = plans(kind)
        old.ask("a")
        old.ready(1, shared: kind.isShared)
        old.drain(to: new)
        #expect(old.legs["a"].flatMap { old.plan.legs[$0]?.place.hasSent } == true)
        #expect(old.connections.count == 1 && new.legs.isEmpty && !old.plan.isEmpty)
        #expect(world.violations() == [])
        world.pass(.seconds(600))
        #expect(old.connections.count == 1 && old.plan.deadline == nil)
        old.leave("a")
        #expect(old.connections.isEmpty && old.plan.isEmpty)
        #expect(world.violations() == [])
    }

    @Test(arguments: UplinkPlanLeaveTests.Kind.all, [UplinkPlanLeaveTests.Place.inLine, .dialing, .awaitingStream])
    func aLegThatWaitsIsHandedOver(kind: UplinkPlanLeaveTests.Kind, place: UplinkPlanLeaveTests.Place) {
        let (world, old, new) = plans(kind)
        if place == .inLine { world.gate.mustPause(kind.purpose, atLeast: .seconds(5), at: world.now) }
        old.ask(all: "a", "b", "c")
        if place == .awaitingStream { old.ready(1, shared: kind.isShared, streams: 0) }
        old.drain(to: new)
        #expect(old.plan.isEmpty && old.connections.isEmpty && old.legs.isEmpty)
        #expect(new.legs.keys.sorted() == ["a", "b", "c"])
        // In the order in which they came.
        #expect(new.legs["a"].map(\.rawValue) ?? 9 < new.legs["b"].map(\.rawValue) ?? 0)
        #expect(world.violations() == [])
    }

    /// It must not be on two ways, so its plan waits for the outcome.
    @Test(arguments: [true, false])
    func aConnectThatIsOnItsWayIsNotRepeated(succeeds: Bool) {
        let (world, old, new) = plans(Kind(mapping: .connection))
        old.ask("a")
        old.sendEarly(on: 1)
        old.drain(to: new)
        #expect(new.legs.isEmpty && old.connections.count == 1)
        if succeeds {
            old.ready(1)
            #expect(old.legs["a"] != nil && new.legs.isEmpty)
            old.leave("a")
        } else {
            old.fail(1)
            #expect(new.legs["a"] != nil)
        }
        #expect(old.plan.isEmpty && old.connections.isEmpty)
        #expect(world.violations() == [])
    }

    @Test func whatWasMadeAheadOfTimeIsClosed() {
        let (world, old, new) = plans(Kind(mapping: .connection), stock: 2)
        old.devicesMayCome()
        old.ready(1)
        #expect(old.connections.count == 2)
        old.drain(to: new)
        #expect(old.plan.isEmpty && old.connections.isEmpty)
        #expect(world.violations() == [])
    }

    @Test func aLegThatIsAskedForAfterwardsIsHandedOver() {
        let (world, old, new) = plans(Kind(mapping: .mux))
        old.ask("a")
        old.ready(1, shared: true)
        old.drain(to: new)
        old.ask("b")
        #expect(old.legs["b"] == nil && new.legs["b"] != nil)
        #expect(new.did.contains { $0.hasPrefix("dial 1 for b") })
        #expect(world.violations() == [])
    }

    /// The devices of a connection that breaks come to the new plan, no faster than after a loss of its own.
    @Test func aLossSlowsTheNewPlanDown() {
        let (world, old, new) = plans(Kind(mapping: .mux))
        old.ask(all: "a", "b")
        old.ready(1, shared: true)
        old.drain(to: new)
        old.lose(1, .init(why: "busy", isBrokerBusy: true, failure: .network), back: ["a"])
        #expect(old.plan.isEmpty && old.legs.isEmpty)
        #expect(new.legs["a"] != nil && new.connections.isEmpty)
        world.pass(.seconds(120))
        #expect(new.connections.count == 1)
        #expect(world.violations() == [])
    }

    @Test func theEndOfTheProgramEndsADrainingPlan() {
        let (world, old, new) = plans(Kind(mapping: .mux))
        old.ask("a")
        old.ready(1, shared: true)
        old.drain(to: new)
        old.shutDown()
        old.close()
        #expect(old.connections.isEmpty)
        #expect(world.violations() == [])
    }
}
