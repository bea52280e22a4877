import MQTTCodec
import NIOCore
import TestSupport

/// A packet that can be read can be written, and what is written is read as the same packet.
///
/// The first byte chooses the version; the rest is a packet.
package enum PacketRoundTripTarget: FuzzTarget {
    package static let name = "packet-round-trip"
    package static let summary = "a packet that is decoded, encoded and decoded stays the same"
    package static let maximumLength = 1024
    package static let seeds = SamplePackets.all.map { [$0.version.rawValue - 3] + $0.bytes }

    package static func run(_ input: [UInt8]) throws {
        var choices = Choices(bytes: input)
        var version = MQTTVersion.allCases[Int(choices.byte() % 3)]
        let bytes = ByteBuffer(bytes: choices.rest())
        guard let frame = try? Frame(packet: bytes, version: version),
            var packet = try? Packet.decode(frame, version: version)
        else { return }
        if case .connect(let connect) = packet { version = connect.version }
        // MQTT 3.1 lets it be set, and it means nothing.
        if version == .v3_1, case .publish(var head, let payload) = packet, head.qos == .atMostOnce {
            head.isDuplicate = false
            packet = .publish(head, payload: payload)
        }
        let written = try packet.encode(version: version)
        try require(written.readableBytes <= bytes.readableBytes, "\(packet) is longer when it is written")
        let again = try Packet.decode(Frame(packet: written, version: version), version: version)
        try require(again == packet, "\(packet) became \(again)")
        try require(try again.encode(version: version) == written, "\(packet) is written in two ways")
    }
}
