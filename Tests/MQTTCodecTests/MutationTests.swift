import NIOCore
import TestSupport
import Testing

@testable import MQTTCodec

/// Whatever bytes arrive, nothing traps or hangs, and what is accepted can be encoded again.
@Suite("100,000 seeded mutations")
struct MutationTests {
    private static let parts = 4
    private static let mutations = 100_000

    @Test(.timeLimit(.minutes(1)), arguments: 0..<parts)
    func mutate(_ part: Int) {
        var random = SplitMix64(seed: 0x4D51_5454_0000 + UInt64(part))
        var accepted = 0
        for round in 0..<(Self.mutations / Self.parts) {
            let version = MQTTVersion.allCases.randomElement(using: &random) ?? .v5_0
            var bytes = Self.stream(version, &random)
            // The version is nearly always the right one, as on a real connection, and sometimes another.
            let known = bytes.first == 0x10 || Int.random(in: 0..<32, using: &random) == 0 ? nil : version
            for _ in 0...Int.random(in: 0...2, using: &random) { Self.mutate(&bytes, &random) }
            let stream = DecodedStream(
                Self.pieces(bytes, &random), version: known,
                maximumPacketSize: 4096, streamingThreshold: round % 64, maximumBufferedSize: 512)
            accepted += stream.packets.count
            Self.checkWritable(stream.packets, version, "part \(part), round \(round)")
        }
        // With more changes, only the first byte would be tested.
        #expect(accepted > Self.mutations / Self.parts / 4)
    }

    private static let good = MQTTVersion.allCases.map { version in [PacketCase].good.filter { $0.version == version } }

    /// One or two packets, nearly always good ones of `version`.
    private static func stream(_ version: MQTTVersion, _ random: inout SplitMix64) -> [UInt8] {
        let rows =
            switch Int.random(in: 0..<16, using: &random) {
            case 0: [PacketCase].good
            case 1: [PacketCase].bad
            default: good[Int(version.rawValue) - 3]
            }
        return (0...Int.random(in: 0...1, using: &random)).flatMap { _ in
            rows.randomElement(using: &random)?.bytes.array ?? []
        }
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        guard let index = bytes.indices.randomElement(using: &random) else { return }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes[index] = [0x00, 0x01, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
        case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
        case 4: bytes.remove(at: index)
        case 5: bytes.removeSubrange(index...)
        case 6: bytes[index] &+= Bool.random(using: &random) ? 1 : 255
        default: bytes.insert(contentsOf: bytes[index...].prefix(Int.random(in: 1...8, using: &random)), at: index)
        }
    }

    private static func pieces(_ bytes: [UInt8], _ random: inout SplitMix64) -> [ByteBuffer] {
        var pieces: [ByteBuffer] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let length = Int.random(in: 1...64, using: &random)
            pieces.append(ByteBuffer(bytes: rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return pieces
    }

    /// What can be decoded can be encoded, and decoding and encoding it again gives the same bytes.
    private static func checkWritable(_ packets: [Packet], _ version: MQTTVersion, _ place: String) {
        var version = version
        for packet in packets {
            if case .connect(let connect) = packet { version = connect.version }
            do {
                let bytes = try packet.encode(version: version)
                let again = try Packet.decode(Frame(packet: bytes, version: version), version: version)
                #expect(try again.encode(version: version) == bytes, "\(place): \(packet)")
            } catch {
                Issue.record("\(place): \(error) of \(packet)")
            }
        }
    }
}
