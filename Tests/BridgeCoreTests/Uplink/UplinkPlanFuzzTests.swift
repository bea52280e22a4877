import NIOCore
import TestSupport
import Testing

@testable import BridgeCore

/// Plans for which anything may happen in any order.
private struct PlanFuzz {
    struct Kind: Sendable, CustomTestStringConvertible {
        let mapping: UplinkConfiguration.Mapping
        var purpose = UplinkPurpose.devices

        var testDescription: String { "\(mapping) \(purpose)" }
    }

    /// What has happened.
    private final class History {
        var lines: [String] = []
    }

    let kind: Kind
    let seed: UInt64
    private var random: SplitMix64
    private let world: PlanWorld
    /// What the server chooses for `auto`.
    private var sharesNow = false
    private let history = History()
    private var lastName = 0
    private var checks = 0

    init(_ kind: Kind, seed: UInt64) {
        self.kind = kind
        self.seed = seed
        random = SplitMix64(seed: seed)
        var configuration = UplinkConfiguration.plan(
            kind.mapping, endpoints: .random(in: 1...3, using: &random), fallback: random.chance(0.4),
            devicesPerConnection: .random(in: 1...4, using: &random))
        if random.chance(0.3) { configuration.reconnectsPerSecond = .random(in: 1...20, using: &random) }
        if random.chance(0.5) { configuration.idleTimeout = .seconds(5) }
        world = PlanWorld(configuration, jitter: .random(in: 0...1, using: &random))
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let hasStock = kind.purpose == .devices && random.chance(0.5)
            _ = world.driver(kind.purpose, stock: hasStock ? .random(in: 1...3, using: &random) : 0)
        }
    }

    /// What went wrong, with the events that led to it; `nil` if nothing did.
    mutating func run(_ events: Int) -> String? {
        for driver in world.drivers { driver.devicesMayCome() }
        for driver in world.drivers { driver.interruption = interruption(of: driver) }
        for _ in 0..<events {
            guard let driver = world.drivers.randomElement(using: &random) else { return nil }
            if let report = report(after: happen(driver), to: driver) { return report }
        }
        for driver in world.drivers { driver.interruption = nil }
        for driver in world.drivers {
            for name in driver.legs.keys.sorted() { driver.leave(name) }
            if let report = report(after: "all leave", to: driver) { return report }
            guard driver.plan.dialing.count == driver.plan.unclaimedDials, driver.plan.legs.isEmpty else {
                return words(["dials are left that nobody waits for"])
            }
        }
        guard world.drivers.allSatisfy({ !$0.plan.isDraining || $0.plan.isEmpty }) else {
            return words(["a plan that drains is not empty although all have left"])
        }
        for driver in world.drivers {
            driver.shutDown()
            driver.close()
        }
        if let report = report(after: "shut down", to: world.drivers[0]) { return report }
        let isProbing = world.drivers.contains { $0.plan.probes.isClaimed }
        return world.drivers.allSatisfy { $0.connections.isEmpty } && !isProbing ? nil : words(["something is left"])
    }

    private mutating func report(after event: String, to driver: PlanDriver) -> String? {
        history.lines.append("plan \(driver.waker): \(event) -> \(driver.did.joined(separator: "; "))")
        for other in world.drivers where other !== driver {
            let did = other.did
            if !did.isEmpty { history.lines.append("    plan \(other.waker): -> \(did.joined(separator: "; "))") }
        }
        checks += 1
        let violations = world.violations(comparingLines: checks % 8 == 0)
        return violations.isEmpty ? nil : words(violations)
    }

    private func words(_ violations: [String]) -> String {
        """
        \(kind.testDescription), seed \(seed): \(violations.joined(separator: "; "))
        \(history.lines.suffix(25).joined(separator: "\n"))
        """
    }
}

// MARK: - Possible events

extension PlanFuzz {
    /// Now and then something happens between two actions.
    private mutating func interruption(of driver: PlanDriver) -> () -> Void {
        var random = SplitMix64(seed: random.next())
        return { [unowned driver, history] in
            guard random.chance(0.1) else { return }
            let connection = driver.connections.values.sorted { $0.number < $1.number }.randomElement(using: &random)
            switch (Int.random(in: 0..<4, using: &random), connection) {
            case (0, _):
                let name = "N\(random.next() % 10_000)"
                guard driver.legs.count < 14, driver.legs[name] == nil else { return }
                driver.ask(name)
                history.lines.append("    in the middle, plan \(driver.waker): \(name) asks")
            case (1, _):
                guard let name = driver.legs.keys.sorted().randomElement(using: &random) else { return }
                driver.leave(name)
                history.lines.append("    in the middle, plan \(driver.waker): \(name) leaves")
            case (_, let connection?):
                if connection.isReady { driver.lose(connection.number) } else { driver.fail(connection.number) }
                history.lines.append("    in the middle, plan \(driver.waker): \(connection.number) breaks")
            default: break
            }
        }
    }

    private mutating func happen(_ driver: PlanDriver) -> String {
        let connections = driver.connections.values.sorted { $0.number < $1.number }
        let dialing = connections.filter { !$0.isReady }
        let ready = connections.filter(\.isReady)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<22: return ask(driver)
        case 22..<34: return leave(driver)
        case 34..<54: return dialing.randomElement(using: &random).map { outcome($0, driver) } ?? ask(driver)
        case 54..<60: return dialing.randomElement(using: &random).map { early($0, driver) } ?? "nothing"
        case 60..<66: return ready.randomElement(using: &random).map { lose($0, driver) } ?? "nothing"
        case 66..<70: return ready.randomElement(using: &random).map { comeBack($0, driver) } ?? "nothing"
        case 70..<86: return ready.randomElement(using: &random).map { change($0, driver) } ?? ask(driver)
        case 86..<88: return answer(driver)
        case 88: return drain(driver)
        case 89:
            sharesNow.toggle()
            return "the server shares: \(sharesNow)"
        case 89..<91:
            let endpoint = Int.random(in: 0..<world.configuration.endpoints.count, using: &random)
            world.sendElsewhere(from: endpoint)
            return "endpoint \(endpoint) shuts down"
        default: return pass()
        }
    }

    private mutating func ask(_ driver: PlanDriver) -> String {
        guard driver.legs.count < 14, !driver.plan.isShutDown else { return "nothing" }
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            lastName += 1
            let seconds = [60, 600, 40_000].randomElement(using: &random)
            driver.ask("L\(lastName)", keepAlive: random.chance(0.2) ? nil : seconds.map { .seconds($0) })
        }
        return "ask up to L\(lastName)"
    }

    private mutating func leave(_ driver: PlanDriver) -> String {
        guard let name = driver.legs.keys.sorted().randomElement(using: &random) else { return "nothing" }
        driver.leave(name)
        return "\(name) leaves"
    }

    private mutating func outcome(_ connection: PlanDriver.Connection, _ driver: PlanDriver) -> String {
        let number = connection.number
        if random.chance(0.6) {
            let isShared =
                switch kind.mapping {
                case _ where connection.dial.way == .tls: false
                case .auto: sharesNow
                case .connection: false
                case .mux, .dataStream: true
                }
            // A connection over TLS has only one stream.
            let streams = connection.dial.way == .tls ? 1 : Int.random(in: 0...4, using: &random)
            let idleTimeout: Duration = random.chance(0.5) ? .seconds(100) : .seconds(10)
            driver.ready(number, shared: isShared, streams: streams, idleTimeout: idleTimeout)
            return "\(number) is ready, shared: \(isShared), streams: \(streams)"
        }
        let end = end()
        driver.fail(number, end, hasDeviceLeft: random.chance(0.25))
        return "\(number) fails: \(end.failure.map { "\($0)" } ?? "-") \(end.isBrokerBusy) \(end.pause)"
    }

    private mutating func end() -> UplinkConnectionEnd {
        UplinkConnectionEnd(
            why: "why", isBrokerBusy: random.chance(0.1),
            pause: random.chance(0.1) ? .seconds(.random(in: 1...5, using: &random)) : .zero,
            isLogged: random.chance(0.3),
            failure: random.chance(0.1) ? nil : UplinkWay.Failure.allCases.randomElement(using: &random))
    }

    private mutating func early(_ connection: PlanDriver.Connection, _ driver: PlanDriver) -> String {
        guard kind.purpose == .devices, connection.dial.way != .tls else { return "nothing" }
        driver.sendEarly(on: connection.number)
        return "CONNECT goes early on \(connection.number)"
    }

    private mutating func lose(_ connection: PlanDriver.Connection, _ driver: PlanDriver) -> String {
        if connection.dial.way == .tls, random.chance(0.5) {
            driver.end(connection.number)
            return "\(connection.number) ends"
        }
        let back = connection.mayComeBack.sorted().filter { _ in random.chance(0.5) }.map(driver.name)
        let end = end()
        driver.lose(connection.number, end, back: back)
        return "\(connection.number) is lost: \(end.failure.map { "\($0)" } ?? "-"), back: \(back)"
    }

    private mutating func comeBack(_ connection: PlanDriver.Connection, _ driver: PlanDriver) -> String {
        guard let leg = connection.mayComeBack.sorted().randomElement(using: &random) else { return "nothing" }
        let name = driver.name(leg)
        driver.comeBack(name)
        return "\(name) comes back from \(connection.number)"
    }

    private mutating func change(_ connection: PlanDriver.Connection, _ driver: PlanDriver) -> String {
        let number = connection.number
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<6:
            driver.room(on: number, streams: connection.streams + .random(in: 0...3, using: &random))
            return "room on \(number): \(connection.streams)"
        case 6..<8:
            connection.refusesStreams = true
            return "\(number) refuses streams"
        default:
            driver.silence(number)
            return "\(number) falls silent"
        }
    }

    private mutating func answer(_ driver: PlanDriver) -> String {
        guard driver.plan.awaitsPath else { return "nothing" }
        driver.answer(Bool.random(using: &random) ? nil : 0)
        return "the path answers"
    }

    /// New settings come. The gate is the same in this test, which makes its counts comparable.
    private mutating func drain(_ driver: PlanDriver) -> String {
        guard world.drivers.count < 8, !driver.plan.isDraining else { return "nothing" }
        let successor = world.driver(kind.purpose, stock: driver.plan.stockTarget)
        driver.drain(to: successor)
        return "it drains, for plan \(successor.waker)"
    }

    private mutating func pass() -> String {
        let time: TimeAmount = [.milliseconds(3), .milliseconds(200), .seconds(2), .seconds(31), .seconds(70)]
            .randomElement(using: &random)!
        world.pass(time)
        return "\(time.nanoseconds / 1_000_000) ms pass"
    }
}

@Suite struct UplinkPlanFuzzTests {
    private static let kinds: [PlanFuzz.Kind] = [
        .init(mapping: .connection), .init(mapping: .mux), .init(mapping: .auto), .init(mapping: .dataStream),
        .init(mapping: .dataStream, purpose: .gateway(.v5_0)),
    ]

    @Test(arguments: kinds) fileprivate func anyOrderOfEventsIsFollowed(kind: PlanFuzz.Kind) {
        for seed in 0..<16 as Range<UInt64> {
            var fuzz = PlanFuzz(kind, seed: seed)
            guard let report = fuzz.run(150) else { continue }
            Issue.record("\(report)")
            return
        }
    }
}
