import NIOCore
import Testing

@testable import BridgeCore

/// Other ways to the broker, there and back.
@Suite struct UplinkPlanWaysTests {
    /// Devices use TLS, because the QUIC handshake had no answer.
    private func onTLS(_ world: PlanWorld) -> PlanDriver {
        let driver = world.driver()
        driver.ask("first")
        driver.fail(1)
        driver.ready(2)
        #expect(driver.did == ["dial 1 for first", "dial 2 for first over tls", "open first on 2"])
        return driver
    }

    @Test(arguments: [UplinkConfiguration.Mapping.connection, .mux, .auto])
    func overTLSEachDeviceHasAConnectionOfItsOwn(mapping: UplinkConfiguration.Mapping) {
        let world = PlanWorld(.plan(mapping, fallback: true))
        let driver = onTLS(world)
        // TLS has no handshake window.
        for number in 1...20 { driver.ask("\(number)") }
        #expect(driver.did == (1...20).map { "dial \($0 + 2) for \($0) over tls" })
        #expect(driver.connection(3)?.dial.patience == world.configuration.handshakeTimeout(.tls))
        driver.ready(3)
        #expect(driver.did == ["open 1 on 3"])
        #expect(world.gate.handshakes(to: 0) == 0)
        // The device leaves before the handshake has completed, and no other device can use the connection.
        driver.leave("2")
        #expect(driver.did == ["close 4"])
        driver.leave("1")
        #expect(driver.did == ["close 3"])
        #expect(world.violations() == [])
    }

    @Test func dataStreamsDoNotGoOverTLS() {
        let world = PlanWorld(.plan(.dataStream, fallback: true))
        let driver = world.driver(.gateway(.v5_0))
        driver.ask("a")
        driver.fail(1)
        #expect(driver.did == ["dial 1 for a", "a unreachable: no answer"])
        #expect(world.violations() == [])
    }

    @Test(arguments: [UplinkWay.Failure.certificate, .refused, .other])
    func onlyAnUnansweredQUICLeadsToTLS(failure: UplinkWay.Failure) {
        let world = PlanWorld(.plan(fallback: true))
        let driver = world.driver()
        driver.ask("a")
        driver.fail(1, failure)
        world.pass(.seconds(1))
        #expect(world.gate.chosen == .quic(0))
        #expect(driver.connections.values.allSatisfy { $0.dial.way == .quic(0) })
        #expect(world.violations() == [])
    }

    /// The first probe comes after 30 s, and a quarter later because of the jitter.
    @Test func betterWaysAreTriedEverMoreSeldom() {
        let world = PlanWorld(.plan(fallback: true))
        let driver = onTLS(world)
        for (number, milliseconds) in [(3, 37_500), (4, 75_000), (5, 150_000)] as [(Int, Int64)] {
            #expect(driver.plan.deadline == world.now + .milliseconds(milliseconds))
            world.pass(.milliseconds(milliseconds))
            #expect(driver.did == ["dial \(number) to probe"])
            #expect(driver.plan.deadline == nil)
            driver.fail(number)
        }
        #expect(world.violations() == [])
    }

    @Test func onePlanTriesThemInTheOperatorsOrder() {
        let world = PlanWorld(.plan(endpoints: 3))
        let driver = world.driver()
        let other = world.driver()
        driver.ask("a")
        driver.fail(1)
        driver.fail(2)
        driver.ready(3)
        other.ask("b")
        other.ready(1)
        _ = driver.did
        world.pass(.milliseconds(37_500))
        #expect(driver.did == ["dial 4 to probe"])
        #expect(other.did == ["dial 1 for b over quic2", "open b on 1"])
        driver.fail(4)
        #expect(driver.did == ["dial 5 to probe over quic1"])
        driver.ready(5)
        #expect(driver.did == ["close 5"])
        #expect(world.gate.chosen == .quic(1))
        #expect(driver.plan.deadline.map { $0 > world.now } == true)
        #expect(world.violations() == [])
    }

    @Test func newDevicesTakeTheBetterWayAndThoseThatWaitForTLSAsWell() {
        let world = PlanWorld(.plan(fallback: true))
        let driver = onTLS(world)
        world.pass(.milliseconds(37_500))
        driver.ask(all: "a", "b")
        _ = driver.did
        driver.ready(3)
        #expect(driver.did == ["close 3", "close 5", "close 4", "dial 6 for a", "dial 7 for b"])
        #expect(driver.plan.legs.count == 3)
        // Nothing is left to try.
        #expect(driver.plan.deadline == nil && !driver.plan.probes.isClaimed)
        #expect(world.violations() == [])
    }

    @Test func sharedConnectionsOverALesserWayKeepTheirDevicesAndGetNoMore() {
        let world = PlanWorld(.plan(.mux, endpoints: 2, devicesPerConnection: 2))
        let driver = world.driver()
        driver.ask("a")
        driver.fail(1)
        driver.ready(2, shared: true)
        driver.ask("b")
        driver.ready(3, shared: true)
        _ = driver.did
        world.pass(.milliseconds(37_500))
        driver.ready(4)
        // The empty connection is no longer needed.
        #expect(driver.did == ["dial 4 to probe", "close 4", "retire 3"])
        driver.ask("c")
        #expect(driver.did == ["dial 5 for c"])
        driver.leave("a")
        #expect(driver.did == [])
        driver.leave("b")
        #expect(driver.did == ["retire 2"])
        #expect(world.violations() == [])
    }

    @Test func aConnectionThatIsLostWhileItIsLeftIsLostLikeOthers() {
        let world = PlanWorld(.plan(.mux, endpoints: 2))
        let driver = world.driver()
        driver.ask("a")
        driver.fail(1)
        driver.ready(2, shared: true)
        world.pass(.milliseconds(37_500))
        driver.ready(3)
        _ = driver.did
        driver.lose(2, back: ["a"])
        #expect(driver.did == ["news: lost with 1", "news: came back", "dial 4 for a"])
        #expect(world.violations() == [])
    }

    /// Whichever plan has heard of it.
    @Test func aServerThatShutsDownGetsNobodyAnyMore() {
        let world = PlanWorld(.plan(.mux, endpoints: 2))
        let (first, second) = (world.driver(), world.driver())
        first.ask("a")
        first.ready(1, shared: true)
        second.ask("b")
        _ = (first.did, second.did)
        world.sendElsewhere(from: 0)
        #expect(second.did == ["close 1", "dial 2 for b over quic1"])
        first.ask("c")
        #expect(first.did == ["dial 2 for c over quic1"])
        first.ready(2, shared: true)
        first.answer(0)
        first.leave("a")
        #expect(first.did == ["open c on 2", "retire 1"])
        #expect(world.gate.chosen == .quic(1))
        #expect(world.violations() == [])
    }

    @Test func whenTheWayFailsItsDialsAreGivenUpInAllPlans() {
        let world = PlanWorld(.plan(endpoints: 2))
        let first = world.driver()
        let second = world.driver()
        first.ask("a")
        second.ask(all: "b", "c")
        first.fail(1)
        #expect(first.did == ["dial 1 for a", "dial 2 for a over quic1"])
        #expect(second.did == ["dial 1 for b", "dial 2 for c", "close 2", "close 1"])
        first.ready(2)
        #expect(second.did == ["dial 3 for b over quic1", "dial 4 for c over quic1"])
        #expect(world.violations() == [])
    }

    /// The device has left, but the handshake still has to show whether the way works.
    @Test func oneHandshakeIsSeenToItsEndForDevicesWithLittlePatience() {
        let world = PlanWorld(.plan(fallback: true))
        let driver = world.driver()
        driver.ask(all: "a", "b")
        driver.leave("a")
        driver.leave("b")
        #expect(driver.did == ["dial 1 for a", "dial 2 for b", "close 2"])
        driver.fail(1)
        driver.ask("c")
        #expect(driver.did == ["dial 3 for c over tls"])
        #expect(world.violations() == [])
    }

    @Test func withoutAnotherWayADialIsGivenUpWithItsDevice() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask("a")
        driver.leave("a")
        #expect(driver.did == ["dial 1 for a", "close 1"])
        #expect(world.violations() == [])
    }

    /// Other devices that wait can share the connection.
    @Test func aSharedDialIsKeptForThoseThatWait() {
        let world = PlanWorld(.plan(.mux))
        let driver = world.driver()
        driver.ask(all: "a", "b")
        driver.leave("a")
        driver.ready(1, shared: true)
        #expect(driver.did == ["dial 1 for a", "open b on 1, may come back"])
        #expect(world.violations() == [])
    }

    /// All ways have failed, so the one that worked last is tried first, and its devices need not use TLS.
    @Test func whenAllWaysHaveFailedTheOneThatWorkedLastIsTriedFirst() {
        let world = PlanWorld(.plan(fallback: true))
        let driver = world.driver()
        driver.ask("a")
        driver.ready(1)
        driver.lose(1)
        driver.ask("b")
        driver.fail(2)
        driver.fail(3, .network, "nobody listens")
        #expect(world.gate.chosen == .quic(0))
        #expect(driver.did.last == "b unreachable: over QUIC: no answer; over TLS: nobody listens")
        #expect(world.violations() == [])
    }

    @Test func anEndpointThatAnswersIsTriedFirst() {
        let world = PlanWorld(.plan(endpoints: 2))
        let driver = world.driver()
        driver.ask("a")
        driver.fail(1)
        driver.fail(2)
        driver.ask("b")
        _ = driver.did
        driver.answer(1)
        #expect(driver.did == ["dial 3 for b over quic1"])
        #expect(world.violations() == [])
    }

    /// UDP is blocked from some moment on, and the devices that are connected have nothing to say.
    @Test func aSilentConnectionIsGivenUpForAWayThatWorks() {
        let world = PlanWorld(.plan(fallback: true))
        let driver = world.driver()
        driver.ask("quiet")
        driver.ready(1)
        driver.silence(1)
        let since = world.now
        driver.ask("new")
        driver.fail(2, .unanswered)
        _ = driver.did
        world.pass(.seconds(10))
        driver.staySilent(1, since: since)
        #expect(driver.did == [], "the other way may not work either")
        driver.ready(3)
        driver.staySilent(1, since: world.now)
        #expect(driver.did == ["open new on 3"], "it has not been silent for long")
        driver.staySilent(1, since: since)
        #expect(driver.did == ["give up 1"])
        driver.staySilent(3, since: since)
        #expect(driver.did == [], "the connections on that way are kept")
        // A way that worked before the silence proves nothing.
        driver.staySilent(1, since: world.now)
        world.pass(.seconds(20))
        _ = driver.did
        driver.staySilent(1, since: world.now - .seconds(10))
        #expect(driver.did == [])
        #expect(world.violations() == [])
    }

    @Test func withoutAnotherWayASilentConnectionIsKept() {
        let world = PlanWorld(.plan())
        let driver = world.driver()
        driver.ask("quiet")
        driver.ready(1)
        driver.silence(1)
        let since = world.now
        _ = driver.did
        world.pass(.seconds(600))
        driver.staySilent(1, since: since)
        #expect(driver.did == [])
    }
}
