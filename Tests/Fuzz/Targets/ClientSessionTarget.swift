import ClientModel
import TestSupport

/// Whatever happens to the connection at whatever moment, the client library loses no message that it has accepted, and
/// doubles none of QoS 2.
///
/// The first byte chooses when the broker passes a message of QoS 2 on, and how many data streams there are. The other
/// bytes are the choices of a simulation.
package enum ClientSessionTarget: FuzzTarget {
    package static let name = "client-session"
    package static let summary = "the client library's session loses nothing and doubles nothing of QoS 2"
    package static let maximumLength = 1024
    package static let seeds = randomSeeds(8)

    package static func run(_ input: [UInt8]) throws {
        guard let first = input.first else { return }
        var world = ClientWorld(
            first & 1 == 0 ? .atPublish : .atPubrel, dataStreams: Int(first >> 1 & 3),
            choices: Choices(bytes: input.dropFirst()))
        try world.run(steps: 1_000)
        try require(world.faults.isEmpty, "\(world.faults)")
    }
}
