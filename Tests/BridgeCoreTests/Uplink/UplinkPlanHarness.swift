import NIOCore
import Testing

@testable import BridgeCore

/// Plans with one gate and one clock, as the event loops of a process have them.
final class PlanWorld {
    let configuration: UplinkConfiguration
    let gate: TestGate
    private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private(set) var drivers: [PlanDriver] = []
    /// Violations of the rules.
    var faults: [String] { gate.faults + drivers.flatMap { $0.faults } }

    init(_ configuration: UplinkConfiguration, probing: WayChoice.Probing = .init(), jitter: Double = 1) {
        self.configuration = configuration
        gate = TestGate(configuration, probing: probing, jitter: jitter)
    }

    /// - Parameter stock: How many connections the plan keeps ready.
    func driver(_ purpose: UplinkPurpose = .devices, stock: Int = 0) -> PlanDriver {
        let jitter = gate.policy.jitter
        let waker = drivers.count + 1
        let plan = UplinkPlan(purpose, configuration, gate: gate, waker: waker, stockTarget: stock, jitter: jitter)
        let driver = PlanDriver(plan, in: self, waker: waker)
        drivers.append(driver)
        return driver
    }

    /// Wakes the plans that the gate names, until it names no more.
    func wake() {
        guard !drivers.contains(where: \.isRunning) else { return }
        for _ in 0..<1_000 {
            let woken = gate.policy.takeWoken()
            guard !woken.isEmpty else { return }
            for driver in drivers where woken.all || woken.some.contains(driver.waker) {
                driver.event { $0.upstreamChanged(at: self.now) }
            }
        }
        Issue.record("the plans wake each other for ever")
    }

    /// The server of the endpoint shuts down, which one of the plans has heard.
    func sendElsewhere(from endpoint: Int) {
        _ = gate.policy.left(.quic(endpoint), at: now)
        wake()
    }

    /// Lets that time pass, and performs everything that falls due meanwhile.
    func pass(_ time: TimeAmount) {
        let end = now + time
        for _ in 0..<20_000 {
            guard let next = drivers.compactMap(\.plan.deadline).min(), next <= end else {
                now = end
                return
            }
            now = max(now, next)
            for driver in drivers where driver.plan.deadline.map({ $0 <= now }) == true {
                driver.event { _ in }
                if let next = driver.plan.deadline, next <= now { driver.faults.append("the deadline \(next) is over") }
            }
            wake()
        }
        Issue.record("something falls due again and again")
    }
}

extension UplinkConfiguration {
    /// A configuration for a broker with that many endpoints.
    static func plan(
        _ mapping: Mapping = .connection, endpoints: Int = 1, fallback: Bool = false, devicesPerConnection: Int = 1_000,
        reconnectsPerSecond: Int = 100_000
    ) -> UplinkConfiguration {
        var configuration = UplinkConfiguration(
            host: "localhost", caFile: "ca.pem", mapping: mapping, devicesPerConnection: devicesPerConnection,
            reconnectsPerSecond: reconnectsPerSecond)
        configuration.endpoints = (0..<endpoints).map { UplinkEndpoint(host: "broker-\($0)") }
        if fallback { configuration.fallback = UplinkFallback(host: "broker", port: 8883) }
        return configuration
    }
}
