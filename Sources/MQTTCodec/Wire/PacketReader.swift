import NIOCore

/// A cursor over a packet's body. Every error names the packet, the field and the clause.
struct PacketReader {
    let type: PacketType
    /// While CONNECT is read, this is provisional until its protocol level is known.
    var version: MQTTVersion
    /// Whether only what cannot be expressed in a packet's type is an error.
    let isLenient: Bool
    private var bytes: ByteBuffer
    /// The rule that is broken if the bytes end too early; `nil` for the packet's section, whose name is made only for an
    /// error.
    private let end: Clause?

    /// - Parameter bytes: What follows the fixed header, or a part of it.
    init(
        _ bytes: ByteBuffer, type: PacketType, version: MQTTVersion, end: Clause? = nil, isLenient: Bool = false
    ) {
        self.isLenient = isLenient
        self.bytes = bytes
        self.type = type
        self.version = version
        self.end = end
    }

    /// - Throws: If `frame` is not of the type that the caller is about to read.
    init(
        _ frame: Frame, as type: PacketType, version: MQTTVersion, isLenient: Bool = false
    ) throws(MQTTError) {
        guard frame.type == type else {
            throw MQTTError(.protocolError, .section(of: type), version, "\(frame.type) instead of \(type)")
        }
        self.init(frame.body, type: type, version: version, isLenient: isLenient)
    }

    var isAtEnd: Bool { bytes.readableBytes == 0 }
    var remaining: Int { bytes.readableBytes }

    // MARK: Integers

    mutating func uint8(_ field: @autoclosure () -> String) throws(MQTTError) -> UInt8 { try integer(field()) }
    mutating func uint16(_ field: @autoclosure () -> String) throws(MQTTError) -> UInt16 { try integer(field()) }
    mutating func uint32(_ field: @autoclosure () -> String) throws(MQTTError) -> UInt32 { try integer(field()) }

    private mutating func integer<Integer: FixedWidthInteger>(_ field: @autoclosure () -> String) throws(MQTTError)
        -> Integer
    {
        guard let value = bytes.readInteger(as: Integer.self) else { throw endsBefore(field()) }
        return value
    }

    mutating func variableByteInteger(_ field: @autoclosure () -> String) throws(MQTTError) -> Int {
        switch VariableByteInteger.read(bytes, at: bytes.readerIndex) {
        case .incomplete:
            throw endsBefore(field())
        case .tooLong:
            throw malformed(.variableByteInteger, "\(field()) has more than four bytes")
        case .value(let value, let length):
            guard isLenient || length == VariableByteInteger.encodedLength(value) else {
                throw malformed(.shortestVariableByteInteger, "\(field()) is not in its shortest form")
            }
            bytes.moveReaderIndex(forwardBy: length)
            return value
        }
    }

    /// - Parameter clause: The rule that it is not 0.
    mutating func packetID(_ clause: Clause) throws(MQTTError) -> UInt16 {
        let value = try uint16("packet identifier")
        // The bytes are well-formed, and brokers answer 0x82.
        guard value != 0 else { throw protocolError(clause, "packet identifier is 0") }
        return value
    }

    // MARK: Strings and data

    /// Reads two length bytes and as many bytes of strictly checked UTF-8 without U+0000.
    mutating func string(_ field: @autoclosure () -> String) throws(MQTTError) -> String {
        let data = try binaryData(field())
        let (valid, holdsNull) = data.withUnsafeReadableBytes { bytes in
            (String(validating: bytes, as: UTF8.self), bytes.contains(0))
        }
        guard let valid else { throw malformed(.wellFormedUTF8, "\(field()) is not well-formed UTF-8") }
        guard !holdsNull else { throw malformed(.noNullCharacter, "\(field()) holds U+0000") }
        return valid
    }

    /// Reads two length bytes and as many bytes of anything, as a slice.
    mutating func binaryData(_ field: @autoclosure () -> String) throws(MQTTError) -> ByteBuffer {
        let length = Int(try uint16(field()))
        return try slice(length, field())
    }

    mutating func slice(_ length: Int, _ field: @autoclosure () -> String) throws(MQTTError) -> ByteBuffer {
        guard let slice = bytes.readSlice(length: length) else { throw endsBefore(field()) }
        return slice
    }

    /// Takes what is left, as a slice.
    mutating func rest() -> ByteBuffer {
        defer { bytes.moveReaderIndex(to: bytes.writerIndex) }
        return bytes.slice()
    }

    /// Continues at that index of `whole`, of which the reader's bytes are a part.
    mutating func rest(from whole: ByteBuffer, _ index: Int) {
        bytes = whole
        bytes.moveReaderIndex(to: index)
    }

    /// Checks that nothing follows the last field.
    func finish() throws(MQTTError) {
        guard isAtEnd || isLenient else {
            throw malformed(.section(of: type), "\(remaining) bytes follow the last field")
        }
    }

    // MARK: Errors

    func malformed(_ clause: Clause, _ message: String) -> MQTTError {
        MQTTError(.malformed, clause, version, "\(type): \(message)")
    }

    func protocolError(_ clause: Clause, _ message: String) -> MQTTError {
        MQTTError(.protocolError, clause, version, "\(type): \(message)")
    }

    private func endsBefore(_ field: String) -> MQTTError {
        malformed(end ?? .section(of: type), "the packet ends before \(field) does")
    }
}
