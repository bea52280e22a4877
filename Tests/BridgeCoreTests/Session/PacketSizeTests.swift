import MQTTCodec
import Testing

@testable import BridgeCore

/// How the longest packet is told to 5.0 devices.
@Suite struct PacketSizeTests {
    /// The device is told the lower limit of the bridge and the broker, and never more than the Remaining Length may
    /// be, which several clients refuse.
    @Test(
        arguments: [
            (1_000, nil, 1_000), (1_000, 500, 500), (1_000, 2_000, 1_000), (1_000, UInt32.max, 1_000),
            (268_435_455, nil, 268_435_455), (268_435_456, nil, 268_435_455), (268_435_459, nil, 268_435_455),
            (268_435_456, 1_048_576, 1_048_576), (268_435_459, .max, 268_435_455),
            // No packet can be longer, so nothing is limited here.
            (268_435_460, nil, nil), (.max, nil, nil), (268_435_460, 1_048_576, 1_048_576),
            (268_435_460, .max, .max),
        ] as [(Int, UInt32?, UInt32?)])
    func fiveIsToldThePacketSize(_ own: Int, _ brokers: UInt32?, _ told: UInt32?) throws {
        var bench = try SessionBench(.v5_0, packetSize: own)
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        var connack = Connack(sessionPresent: false, code: 0)
        connack.properties.maximumPacketSize = brokers
        let actions = try bench.broker(.connack(connack))
        connack.properties.maximumPacketSize = told
        #expect(actions.toDevice == [try Packet.connack(connack).encode(version: .v5_0)])
    }
}
