import MQTTCodec
import Testing

@testable import BridgeCore

/// Sessions on a link that is cut, falls silent and comes back at any point of any flow.
@Suite struct HoldFuzzTests {
    typealias Setting = HoldSimulation.Setting

    private static let settings: [Setting] = [
        Setting(version: .v5_0), Setting(version: .v5_0, isClean: false), Setting(version: .v5_0, narrows: true),
        Setting(version: .v5_0, isRouted: true, narrows: true), Setting(version: .v5_0, hasLongMessages: true),
        Setting(version: .v5_0, isPersistent: false, narrows: true), Setting(version: .v5_0, buffer: 800),
        Setting(version: .v5_0, buffer: 800, narrows: true),
        Setting(version: .v3_1_1, isClean: false), Setting(version: .v3_1_1, isClean: true),
        Setting(version: .v3_1_1, isClean: false, isPersistent: false),
        Setting(version: .v3_1_1, isClean: false, isRouted: true, hasLongMessages: true),
        Setting(version: .v3_1, isClean: false), Setting(version: .v3_1, isClean: true),
        Setting(version: .v5_0, isStream: true), Setting(version: .v3_1_1, isStream: true, hasLongMessages: true),
        Setting(version: .v5_0, isStream: true, isRouted: true, buffer: 800),
        Setting(version: .v5_0, isPersistent: false, isLate: true), Setting(version: .v5_0, isLate: true),
        Setting(version: .v3_1_1, isClean: true, isLate: true), Setting(version: .v3_1, isClean: true, isLate: true),
        Setting(version: .v5_0, isPersistent: false, narrows: true, isLate: true),
        Setting(version: .v3_1_1, isClean: false, isPersistent: false, hasLongMessages: true, isLate: true),
    ]

    @Test(arguments: settings)
    func nothingIsLostOrDoubled(_ setting: Setting) throws {
        for seed in 1...12 as ClosedRange<UInt64> {
            var simulation = try HoldSimulation(setting, seed: seed)
            try simulation.run(steps: 600)
            let found = Self.faults(of: simulation)
            #expect(found.isEmpty, "seed \(seed): \(found)")
            let budget = simulation.budget
            try simulation.leave()
            let isOver = simulation.session.isOver
            #expect(isOver, "seed \(seed)")
            #expect(budget.usedBytes == 0, "seed \(seed)")
            guard found.isEmpty else { return }
        }
    }

    private static func faults(of simulation: HoldSimulation) -> [String] {
        let (device, broker, setting) = (simulation.device, simulation.broker, simulation.setting)
        var faults = simulation.complaints + device.complaints + broker.complaints
        if let end = simulation.end { faults.append("ended: \(end)") }
        if !device.isIdle { faults.append("the device still waits") }
        let promised = device.sent.filter { $0.qos > .atMostOnce }.map(\.number)
        let came = broker.published.filter { $0.qos > .atMostOnce }.map(\.number)
        let lost = Set(promised).subtracting(came)
        if !lost.isEmpty { faults.append("lost: \(lost.sorted())") }
        if !setting.isLate, firsts(broker.published.map(\.number)) != firsts(broker.published.map(\.number)).sorted() {
            faults.append("out of order: \(broker.published.map(\.number))")
        }
        let subscriptions = Set(device.subscriptions.map { setting.isRouted ? "x/" + $0 : $0 })
        if subscriptions != Set(broker.subscriptions.keys) {
            faults.append("subscribed: \(broker.subscriptions.keys.sorted()), not \(subscriptions.sorted())")
        }
        if setting.keepsAll { faults += doubled(broker.published) + deliveryFaults(of: simulation) }
        return faults
    }

    private static func deliveryFaults(of simulation: HoldSimulation) -> [String] {
        let came = simulation.device.received
        let promised = Set(simulation.delivered.filter { $0.qos > .atMostOnce }.map(\.number))
        let lost = promised.subtracting(came.map(\.number))
        let order = firsts(came.map(\.number))
        return (lost.isEmpty ? [] : ["not delivered: \(lost.sorted())"]) + doubled(came)
            + (order == order.sorted() ? [] : ["delivered out of order: \(came.map(\.number))"])
    }

    private static func doubled(_ messages: [SimulatedBroker.Message]) -> [String] {
        var seen: Set<Int> = []
        let twice = messages.filter { $0.qos == .exactlyOnce && !seen.insert($0.number).inserted }
        return twice.isEmpty ? [] : ["doubled: \(twice.map(\.number))"]
    }

    private static func firsts(_ numbers: [Int]) -> [Int] {
        var seen: Set<Int> = []
        return numbers.filter { seen.insert($0).inserted }
    }
}
