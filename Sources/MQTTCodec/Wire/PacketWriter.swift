import NIOCore

/// Writes a packet from front to back in one allocation: the fixed header goes into the room left before the body.
struct PacketWriter {
    private let type: PacketType
    private let version: MQTTVersion
    private var bytes: ByteBuffer

    private static let headerRoom = 5

    /// - Parameter capacity: About how many bytes the body will have.
    init(_ type: PacketType, version: MQTTVersion, capacity: Int = 59) {
        self.type = type
        self.version = version
        self.bytes = ByteBufferAllocator().buffer(capacity: Self.headerRoom + capacity)
        bytes.writeRepeatingByte(0, count: Self.headerRoom)
        bytes.moveReaderIndex(forwardBy: Self.headerRoom)
    }

    /// Writes a section of an MQTT 5 packet whose length has to be known before it is put in: properties.
    init(section type: PacketType) {
        self.type = type
        self.version = .v5_0
        self.bytes = ByteBuffer()
    }

    /// What an `init(section:)` writer has written.
    var section: ByteBuffer { bytes }

    mutating func write<Integer: FixedWidthInteger>(_ integer: Integer) { bytes.writeInteger(integer) }

    mutating func write(bytes data: ByteBuffer) { bytes.writeImmutableBuffer(data) }

    mutating func write(packetID: UInt16, _ clause: Clause = .packetIDNotZero) throws(MQTTError) {
        guard packetID != 0 else { throw notEncodable(clause, "packet identifier is 0") }
        bytes.writeInteger(packetID)
    }

    mutating func write(_ string: String, _ field: @autoclosure () -> String) throws(MQTTError) {
        guard let length = UInt16(exactly: string.utf8.count) else {
            throw notEncodable(.stringLength, "\(field()) is longer than 65535 bytes")
        }
        // Going through a string byte by byte costs several times as much as looking at its bytes in place.
        let holdsNull = string.utf8.withContiguousStorageIfAvailable { $0.contains(0) } ?? string.utf8.contains(0)
        guard !holdsNull else { throw notEncodable(.noNullCharacter, "\(field()) holds U+0000") }
        bytes.writeInteger(length)
        bytes.writeString(string)
    }

    mutating func write(_ data: ByteBuffer, _ field: @autoclosure () -> String) throws(MQTTError) {
        guard let length = UInt16(exactly: data.readableBytes) else {
            throw notEncodable(.binaryLength, "\(field()) is longer than 65535 bytes")
        }
        bytes.writeInteger(length)
        bytes.writeImmutableBuffer(data)
    }

    /// - Precondition: `value` is within `0...VariableByteInteger.maximum`.
    mutating func write(variableByteInteger value: Int) { VariableByteInteger.write(value, to: &bytes) }

    /// Writes Property Length and properties. Writes nothing before MQTT 5, because older packets have no place for
    /// them.
    mutating func write(_ properties: Properties, isWill: Bool = false) throws(MQTTError) {
        guard version.hasProperties, let holder = isWill ? .will : PropertyHolder(type) else { return }
        guard !properties.isEmpty else { return write(UInt8(0)) }
        let encoded = try properties.encode(for: holder, in: type)
        guard encoded.readableBytes <= VariableByteInteger.maximum else { throw tooLarge("properties") }
        write(variableByteInteger: encoded.readableBytes)
        write(bytes: encoded)
    }

    /// Writes a reason code and properties in the shortest form. Defaults are left out, and before MQTT 5 everything
    /// is.
    mutating func writeOmissible(_ reasonCode: UInt8, _ properties: Properties) throws(MQTTError) {
        guard version.hasProperties, reasonCode != 0 || !properties.isEmpty else { return }
        write(reasonCode)
        if !properties.isEmpty { try write(properties) }
    }

    /// - Parameter clause: The rule that there is at least one.
    mutating func write(reasonCodes codes: [UInt8], _ clause: Clause) throws(MQTTError) {
        guard !codes.isEmpty else { throw notEncodable(clause, "no reason code") }
        bytes.writeBytes(codes)
    }

    /// Puts the fixed header in front.
    /// - Parameter payloadLength: How many bytes follow the packet's head that were not written here.
    mutating func finish(flags: UInt8? = nil, payloadLength: Int = 0) throws(MQTTError) -> ByteBuffer {
        let (length, overflow) = bytes.readableBytes.addingReportingOverflow(payloadLength)
        guard !overflow, (0...VariableByteInteger.maximum).contains(length) else { throw tooLarge("the packet") }
        let lengthStart = bytes.readerIndex - VariableByteInteger.encodedLength(length)
        VariableByteInteger.set(length, at: lengthStart, in: &bytes)
        bytes.setInteger(type.rawValue << 4 | (flags ?? type.reservedFlags), at: lengthStart - 1)
        bytes.moveReaderIndex(to: lengthStart - 1)
        return bytes
    }

    func notEncodable(_ clause: Clause, _ message: String) -> MQTTError {
        MQTTError(.notEncodable, clause, version, "\(type): \(message)")
    }

    private func tooLarge(_ field: String) -> MQTTError {
        MQTTError(
            .packetTooLarge, .remainingLength, version,
            "\(type): \(field) would be longer than \(VariableByteInteger.maximum) bytes")
    }
}
