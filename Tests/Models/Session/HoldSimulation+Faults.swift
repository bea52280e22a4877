import MQTTCodec

extension HoldSimulation {
    /// What did not hold when everything has come to its end: messages that are lost, doubled or out of order, and whatever
    /// device and broker complain about. Empty if there is nothing.
    package var faults: [String] {
        var faults = complaints + device.complaints + broker.complaints
        if let end { faults.append("ended: \(end)") }
        if !device.isIdle { faults.append("the device still waits") }
        let promised = device.sent.filter { $0.qos > .atMostOnce }.map(\.number)
        let came = broker.published.filter { $0.qos > .atMostOnce }.map(\.number)
        let lost = Set(promised).subtracting(came)
        if !lost.isEmpty { faults.append("lost: \(lost.sorted())") }
        if !setting.isLate,
            Self.firsts(broker.published.map(\.number)) != Self.firsts(broker.published.map(\.number)).sorted()
        {
            faults.append("out of order: \(broker.published.map(\.number))")
        }
        let subscriptions = Set(device.subscriptions.map { setting.isRouted ? "x/" + $0 : $0 })
        if subscriptions != Set(broker.subscriptions.keys) {
            faults.append("subscribed: \(broker.subscriptions.keys.sorted()), not \(subscriptions.sorted())")
        }
        if setting.keepsAll { faults += Self.doubled(broker.published) + deliveryFaults }
        return faults
    }

    private var deliveryFaults: [String] {
        let came = device.received
        let promised = Set(delivered.filter { $0.qos > .atMostOnce }.map(\.number))
        let lost = promised.subtracting(came.map(\.number))
        let order = Self.firsts(came.map(\.number))
        return (lost.isEmpty ? [] : ["not delivered: \(lost.sorted())"]) + Self.doubled(came)
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
