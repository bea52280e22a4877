import SessionModel
import TestSupport

/// Whatever happens to the link at whatever moment, a session loses nothing that it has promised to deliver, and doubles
/// nothing of QoS 2.
///
/// The first byte chooses the kind of session and broker: half of the brokers pass a message of QoS 2 on when it comes,
/// as EMQX does, and half when it is released, as Mosquitto does. The other bytes are the choices of a simulation.
package enum SessionTarget: FuzzTarget {
    package static let name = "session"
    package static let summary = "sessions and the hold journal lose nothing and double nothing of QoS 2"
    package static let maximumLength = 2048
    package static let seeds = randomSeeds(24)

    package static func run(_ input: [UInt8]) throws {
        guard let first = input.first else { return }
        var setting = HoldSimulation.Setting.all[Int(first & 0x7F) % HoldSimulation.Setting.all.count]
        if first & 0x80 != 0, !setting.isStream { setting.isLate = true }
        var simulation = try HoldSimulation(setting, choices: Choices(bytes: input.dropFirst()))
        try simulation.run(steps: 2_000)
        try require(simulation.faults.isEmpty, "\(setting): \(simulation.faults)")
        let budget = simulation.budget
        try simulation.leave()
        try require(simulation.session.isOver, "\(setting): the session does not end")
        try require(budget.usedBytes == 0, "\(setting): \(budget.usedBytes) bytes are never given back")
    }
}
