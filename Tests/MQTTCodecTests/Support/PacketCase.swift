import NIOCore
import Testing

@testable import MQTTCodec

/// One row of a table: bytes, the version of their connection, and what they mean.
struct PacketCase: Sendable, CustomTestStringConvertible {
    enum Outcome: Sendable {
        /// `canonical`: How the packet is encoded, if there is more than one way to write it.
        case packet(Packet, canonical: Bytes)
        case error(MQTTError.Kind, clause: String)
    }

    let name: String
    let version: MQTTVersion
    let bytes: Bytes
    let outcome: Outcome

    var testDescription: String { "\(version): \(name)" }

    static func good(
        _ name: String, _ version: MQTTVersion, _ bytes: Bytes, _ packet: Packet, canonical: Bytes? = nil
    ) -> Self {
        Self(name: name, version: version, bytes: bytes, outcome: .packet(packet, canonical: canonical ?? bytes))
    }

    static func bad(
        _ name: String, _ version: MQTTVersion, _ bytes: Bytes, _ clause: String,
        _ kind: MQTTError.Kind = .malformed
    ) -> Self {
        Self(name: name, version: version, bytes: bytes, outcome: .error(kind, clause: clause))
    }

    /// Whether the bytes begin with CONNECT's first byte, so that no version is known when they come.
    var isConnect: Bool { bytes.array.first == 0x10 }
}

extension [PacketCase] {
    static let all = connects + connacks + publishes + acknowledgements + subscriptions + others + properties + frames

    static let good = all.filter { if case .packet = $0.outcome { true } else { false } }
    static let bad = all.filter { if case .error = $0.outcome { true } else { false } }
}
