import NIOCore

/// The first two to five bytes of a packet (MQTT 5 2.1.1).
struct FixedHeader: Sendable, Equatable {
    var type: PacketType
    var flags: UInt8
    /// The number of bytes after the fixed header, 0...268 435 455.
    var remainingLength: Int
    /// The length of the fixed header itself in bytes, 2...5.
    var length: Int
    /// Whether flags and length are what the specification allows. Only a lenient reading lets others pass.
    var isRegular = true

    /// The length of the whole packet in bytes.
    var packetLength: Int { length + remainingLength }

    /// Reads and checks the fixed header at the beginning of `bytes`, as far as it has arrived.
    ///
    /// - Parameter version: `nil` if CONNECT has not come yet: nothing else may come then.
    /// - Returns: `nil` if more bytes are needed.
    /// - Throws: As soon as the bytes cannot become a packet.
    static func parse(
        _ bytes: ByteBuffer, version: MQTTVersion?, reading: Reading = .strict
    ) throws(MQTTError) -> FixedHeader? {
        let (start, length) = bytes.withUnsafeReadableBytes { ($0.first, VariableByteInteger.read($0, at: 1)) }
        guard let first = start else { return nil }
        let (type, flags, hasRegularFlags) = try parse(first, version: version, reading)

        let known = version ?? .v5_0
        switch length {
        case .incomplete:
            return nil
        case .tooLong:
            throw MQTTError(
                .malformed, .variableByteInteger, known, "\(type): remaining length has more than four bytes")
        case .value(let remaining, let length):
            var header = FixedHeader(
                type: type, flags: flags, remainingLength: remaining, length: 1 + length, isRegular: hasRegularFlags)
            guard let version else { return header }
            do throws(MQTTError) {
                try header.checkLength(version)
            } catch {
                guard reading.passes(type) else { throw error }
                header.isRegular = false
            }
            return header
        }
    }

    private static func parse(
        _ first: UInt8, version: MQTTVersion?, _ reading: Reading
    ) throws(MQTTError) -> (PacketType, flags: UInt8, isRegular: Bool) {
        let flags = first & 0x0F
        let type = PacketType(rawValue: first >> 4)
        guard let version else {
            guard type == .connect, flags == 0 || reading.passes(.connect) else { throw notConnect(first) }
            return (.connect, flags, flags == 0)
        }
        guard let type else { throw MQTTError(.malformed, .packetType, version, "packet type 0 is reserved") }
        do throws(MQTTError) {
            guard type != .auth || version.hasProperties else {
                throw MQTTError(.malformed, .packetType, version, "packet type 15 is reserved before MQTT 5")
            }
            try checkFlags(flags, of: type, version)
            return (type, flags, true)
        } catch {
            guard reading.passes(type) else { throw error }
            return (type, flags, false)
        }
    }

    /// Names the protocol that the peer seems to speak, because the reader of the message has probably mixed up two
    /// ports.
    private static func notConnect(_ first: UInt8) -> MQTTError {
        let message =
            switch first {
            case 0x16: "a TLS handshake instead of CONNECT: this port expects MQTT without TLS"
            case 0x11...0x1F: "CONNECT: reserved flags of the first byte \(hexadecimal(first)) are not 0"
            case 0x43...0x50: "the first byte is \(hexadecimal(first)), not that of CONNECT: perhaps HTTP"
            default: "the first byte is \(hexadecimal(first)), not that of CONNECT"
            }
        let clause: Clause = first >> 4 == 1 && first != 0x16 ? .reservedFlags(of: .connect) : .firstPacket
        return MQTTError(.malformed, clause, .v3_1_1, message)
    }

    private static func checkFlags(_ flags: UInt8, of type: PacketType, _ version: MQTTVersion) throws(MQTTError) {
        guard type == .publish else {
            // In MQTT 3.1 (2.1), DUP may be set in PUBREL, SUBSCRIBE and UNSUBSCRIBE, and unused bits are ignored.
            guard flags == type.reservedFlags || (version == .v3_1 && type != .connect) else {
                throw MQTTError(
                    .malformed, .reservedFlags(of: type), version, "\(type): reserved flags of the first byte are wrong"
                )
            }
            return
        }
        guard flags & 0b0110 != 0b0110 else {
            throw MQTTError(.malformed, .publishQoS, version, "PUBLISH: QoS 3 does not exist")
        }
        guard flags & 0b1110 != 0b1000 || version == .v3_1 else {
            throw MQTTError(.malformed, .duplicateAtQoS0, version, "PUBLISH: DUP is set at QoS 0")
        }
    }

    /// A packet type that has only one length is refused before any byte of a wrong one is kept.
    private func checkLength(_ version: MQTTVersion) throws(MQTTError) {
        if version.hasProperties { try checkShortestLength() }
        let expected: Int
        switch type {
        case .pingreq, .pingresp:
            expected = 0
        case .disconnect where !version.hasProperties:
            expected = 0
        case .connack, .puback, .pubrec, .pubrel, .pubcomp, .unsuback:
            if version.hasProperties { return }
            expected = 2
        case .connect, .publish, .subscribe, .suback, .unsubscribe, .disconnect, .auth:
            return
        }
        guard remainingLength == expected else {
            throw MQTTError(
                .malformed, .section(of: type), version,
                "\(type): remaining length is \(remainingLength), not \(expected)")
        }
    }

    /// A length with leading zeros is refused from MQTT 5 on. Small devices that speak 3.1.1 do send it.
    func checkShortestLength() throws(MQTTError) {
        guard length == 1 + VariableByteInteger.encodedLength(remainingLength) else {
            throw MQTTError(
                .malformed, .shortestVariableByteInteger, .v5_0, "\(type): remaining length is not in its shortest form"
            )
        }
    }
}
