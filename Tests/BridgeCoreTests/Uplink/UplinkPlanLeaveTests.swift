import NIOCore
import Testing

@testable import BridgeCore

/// A device may leave at any time, wherever its leg is.
@Suite struct UplinkPlanLeaveTests {
    enum Place: CaseIterable, Sendable { case inLine, dialing, early, awaitingStream, open }

    struct Kind: Sendable, CustomTestStringConvertible {
        let mapping: UplinkConfiguration.Mapping
        var purpose = UplinkPurpose.devices
        /// Whether there is another way.
        var endpoints = 1
        var isShared: Bool { mapping == .mux || mapping == .dataStream }

        var testDescription: String { "\(mapping), endpoints: \(endpoints)" }

        static let all = [1, 2].flatMap { endpoints in
            [
                Kind(mapping: .connection, endpoints: endpoints), Kind(mapping: .mux, endpoints: endpoints),
                Kind(mapping: .auto, endpoints: endpoints),
                Kind(mapping: .dataStream, purpose: .gateway(.v5_0), endpoints: endpoints),
            ]
        }
    }

    /// Brings a leg `a` into that place.
    private func put(in place: Place, _ kind: Kind, _ driver: PlanDriver) {
        if place == .inLine { driver.world.gate.mustPause(kind.purpose, atLeast: .seconds(5), at: driver.world.now) }
        driver.ask("a")
        switch place {
        case .inLine, .dialing: break
        case .early: driver.sendEarly(on: 1)
        case .awaitingStream: driver.ready(1, shared: kind.isShared, streams: 0)
        case .open: driver.ready(1, shared: kind.isShared)
        }
    }

    @Test(arguments: Kind.all, Place.allCases)
    func nothingIsLeftOfALegThatLeaves(kind: Kind, place: Place) {
        let world = PlanWorld(.plan(kind.mapping, endpoints: kind.endpoints))
        let driver = world.driver(kind.purpose)
        put(in: place, kind, driver)
        let expected: LegPlace? = driver.legs["a"].flatMap { driver.plan.legs[$0]?.place }
        #expect(expected.map { self.isThat($0, place, kind) } == true)
        driver.leave("a")
        #expect(driver.plan.legs.isEmpty && driver.plan.line.isEmpty)
        #expect(world.violations() == [])
        // Only one handshake may still be under way, which shows whether the way works.
        #expect(driver.plan.dialing.count <= (kind.endpoints > 1 && place == .dialing ? 1 : 0))
        if driver.plan.dialing.isEmpty { #expect(world.gate.handshakes(to: 0) == 0) }
        // It does not matter if the leg leaves again, or if an event comes late.
        driver.leave("a")
        driver.room(on: 1, streams: 5)
        driver.ready(1, shared: kind.isShared)
        driver.fail(1)
        world.pass(.seconds(60))
        #expect(driver.plan.connections.isEmpty && driver.connections.isEmpty)
        #expect(driver.plan.deadline == nil)
        #expect(world.violations() == [])
    }

    private func isThat(_ place: LegPlace, _ expected: Place, _ kind: Kind) -> Bool {
        switch (place, expected) {
        case (.inLine, .inLine), (.dialing, .dialing), (.early, .early), (.open, .open): true
        case (.awaitingStream, .awaitingStream): !kind.isShared
        // On a connection that others might share, the leg waits in the line.
        case (.inLine, .awaitingStream): kind.isShared
        default: false
        }
    }

    @Test(arguments: Kind.all, Place.allCases)
    func theNextDeviceIsServedAfterOneThatLeaves(kind: Kind, place: Place) {
        let world = PlanWorld(.plan(kind.mapping, endpoints: kind.endpoints))
        let driver = world.driver(kind.purpose)
        put(in: place, kind, driver)
        driver.ask("b")
        driver.leave("a")
        world.pass(.seconds(10))
        // The second leg may be unable to use what was begun for the first one.
        for number in 1...3 {
            driver.room(on: number, streams: 10)
            driver.ready(number, shared: kind.isShared)
        }
        #expect(driver.legs["b"].flatMap { driver.plan.legs[$0]?.place.hasSent } == true)
        #expect(world.violations() == [])
    }

    /// Each leg leaves in constant time, so this takes no noticeable time.
    @Test func aCrowdMayLeaveTheLineAtOnce() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        for number in 1...2_000 { driver.ask("\(number)") }
        for number in (9...2_000).reversed() { driver.leave("\(number)") }
        #expect(driver.plan.line.isEmpty && driver.plan.legs.count == 8)
        #expect(driver.plan.line.entryCount <= 16)
        #expect(world.violations() == [])
    }
}
