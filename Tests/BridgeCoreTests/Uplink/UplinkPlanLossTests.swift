import NIOCore
import Testing

@testable import BridgeCore

/// Connections that end, whatever they are for, and the shutdown.
@Suite struct UplinkPlanLossTests {
    struct Stage: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var mapping = UplinkConfiguration.Mapping.connection
        var endpoints = 1
        var fallback = false
        var stock = 0
        /// Brings connection 1, or the one with the number, into the state of this case.
        let prepare: @Sendable (PlanDriver) -> Void
        var number = 1
        /// The actions when the connection ends: by a failure if it is not ready, otherwise by a loss to the network.
        let follows: [String]
        /// The actions at shutdown.
        let atTheEnd: [String]
    }

    private static let stages = [
        Stage(
            testDescription: "a dial for a device", prepare: { $0.ask("a") }, follows: ["a unreachable: no answer"],
            atTheEnd: ["close 1"]),
        Stage(
            testDescription: "a dial for nobody", mapping: .mux,
            prepare: {
                $0.ask(all: "a", "b")
                $0.leave("a")
            }, follows: [], atTheEnd: ["close 1"]),
        Stage(
            testDescription: "a dial with early data",
            prepare: {
                $0.ask("a")
                $0.sendEarly(on: 1)
            }, follows: ["a unreachable: no answer"], atTheEnd: ["close 1"]),
        Stage(
            testDescription: "a dial for the stock", stock: 1, prepare: { $0.devicesMayCome() }, follows: [],
            atTheEnd: ["close 1"]),
        Stage(
            testDescription: "a dial over TLS", fallback: true,
            prepare: {
                $0.ask("a")
                $0.fail(1)
            }, number: 2, follows: ["a unreachable: over QUIC: no answer; over TLS: no answer"],
            atTheEnd: ["close 2"]),
        Stage(
            testDescription: "a probe", fallback: true,
            prepare: {
                $0.ask("a")
                $0.fail(1)
                $0.ready(2)
                $0.leave("a")
                $0.world.pass(.seconds(40))
            }, number: 3, follows: [], atTheEnd: ["close 3"]),
        Stage(
            testDescription: "one in stock", stock: 1,
            prepare: {
                $0.devicesMayCome()
                $0.ready(1)
            }, follows: ["news: stocked one ended"], atTheEnd: ["close 1"]),
        Stage(
            testDescription: "one for a device that waits for a stream",
            prepare: {
                $0.ask("a")
                $0.ready(1, streams: 0)
            }, follows: ["a unreachable: gone"], atTheEnd: []),
        Stage(
            testDescription: "one that carries a device",
            prepare: {
                $0.ask("a")
                $0.ready(1)
            }, follows: [], atTheEnd: []),
        Stage(
            testDescription: "one over TLS that carries a device", fallback: true,
            prepare: {
                $0.ask("a")
                $0.fail(1)
                $0.ready(2)
            }, number: 2, follows: [], atTheEnd: []),
        Stage(
            testDescription: "a shared one", mapping: .mux,
            prepare: {
                $0.ask(all: "a", "b")
                $0.ready(1, shared: true)
                $0.world.pass(.seconds(2))
            }, follows: ["news: lost with 2"], atTheEnd: ["retire 1"]),
        Stage(
            testDescription: "an empty shared one", mapping: .mux,
            prepare: {
                $0.ask("a")
                $0.ready(1, shared: true)
                $0.leave("a")
                $0.world.pass(.seconds(2))
            }, follows: ["news: lost with 0"], atTheEnd: ["retire 1"]),
        Stage(
            testDescription: "a shared one over a lesser way", mapping: .mux, endpoints: 2,
            prepare: {
                $0.ask("a")
                $0.fail(1)
                $0.ready(2, shared: true)
                $0.world.pass(.seconds(40))
                $0.ready(3)
            }, number: 2, follows: ["news: lost with 1"], atTheEnd: ["retire 2"]),
    ]

    private func driver(_ stage: Stage) -> (PlanWorld, PlanDriver) {
        let world = PlanWorld(.plan(stage.mapping, endpoints: stage.endpoints, fallback: stage.fallback))
        let driver = world.driver(stock: stage.stock)
        stage.prepare(driver)
        _ = driver.did
        return (world, driver)
    }

    @Test(arguments: stages) func whatEndsIsForgotten(stage: Stage) throws {
        let (world, driver) = driver(stage)
        let connection = try #require(driver.connection(stage.number))
        if connection.isReady { driver.lose(stage.number) } else { driver.fail(stage.number) }
        #expect(driver.did.filter { !$0.hasPrefix("dial") } == stage.follows)
        #expect(driver.plan.connections[connection.id] == nil)
        #expect(world.violations() == [])
        // Later events of the connection change nothing.
        let readiness = UplinkReadiness(isShared: true, alpn: "", idleTimeout: .zero)
        driver.event { $0.connectionReady(connection.id, readiness, at: world.now) }
        driver.event { $0.connectionFailed(connection.id, .init(why: ""), at: world.now) }
        driver.event { $0.connectionLost(connection.id, .init(why: ""), wasSilent: true, at: world.now) }
        driver.event { $0.connectionHasRoom(connection.id) }
        driver.event { $0.connectionEnded(connection.id) }
        #expect(driver.did.filter { !$0.hasPrefix("dial") } == [])
        #expect(world.violations() == [])
    }

    @Test(arguments: stages) func theEndClosesWhatIsThere(stage: Stage) {
        let (world, driver) = driver(stage)
        driver.shutDown()
        #expect(driver.did == stage.atTheEnd)
        #expect(driver.plan.deadline == nil)
        #expect(world.violations() == [])
        // The devices are told to go, and a late one comes.
        driver.ask("late")
        driver.devicesMayCome()
        for name in driver.legs.keys.sorted() { driver.leave(name) }
        driver.close()
        #expect(driver.did.filter { !$0.hasPrefix("close") } == [])
        #expect(driver.connections.isEmpty && driver.plan.connections.isEmpty && driver.plan.legs.isEmpty)
        #expect(world.gate.handshakes(to: 0) == 0 && !world.gate.policy.isProbed)
        #expect(world.violations() == [])
    }

    @Test func whatIsStillThereIsClosedAtTheVeryEnd() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask(all: "a", "b")
        driver.ready(1)
        driver.ready(2, streams: 0)
        driver.shutDown()
        _ = driver.did
        driver.close()
        #expect(driver.did == ["close 1", "close 2"])
        #expect(world.violations() == [])
    }

    @Test func anotherPlanTriesTheBetterWaysWhenTheOneThatDidHasGone() {
        let world = PlanWorld(.plan(fallback: true))
        let first = world.driver()
        let second = world.driver()
        first.ask("a")
        first.fail(1)
        first.ready(2)
        world.pass(.seconds(40))
        #expect(first.did.last == "dial 3 to probe")
        first.shutDown()
        second.ask("b")
        second.ready(1)
        _ = second.did
        world.pass(.seconds(80))
        #expect(second.did == ["dial 2 to probe"])
        #expect(world.violations() == [])
    }

    /// The loss of one connection shows that the broker may have forgotten the others as well.
    @Test func aLossToTheNetworkCastsDoubtOnTheOtherConnections() {
        let world = PlanWorld(.plan(.mux, devicesPerConnection: 1))
        let driver = world.driver()
        for number in 1...3 {
            driver.ask("\(number)")
            driver.ready(number, shared: true)
        }
        world.pass(.seconds(2))
        _ = driver.did
        driver.lose(1)
        #expect(driver.did.prefix(3) == ["doubt 2", "doubt 3", "news: lost with 1"])
        driver.lose(2, .init(why: "closed", isLogged: true))
        #expect(driver.did.contains { $0.hasPrefix("doubt") || $0.hasPrefix("news") } == false)
        #expect(world.violations() == [])
    }

    @Test func aConnectionThatEndsInOrderIsNoLoss() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1)
        driver.end(1)
        driver.ask(all: "b", "c")
        #expect(driver.did == ["dial 1 for a", "open a on 1", "dial 2 for b", "dial 3 for c"])
        #expect(!driver.plan.isDisturbed)
        #expect(world.violations() == [])
    }
}
