import NIOCore

// How many bytes a property has, whatever its value is.
extension PropertyIdentifier {
    /// The identifier that `bytes` begin with; `nil` if it does not exist.
    init?(first bytes: ByteBuffer) {
        // All identifiers are below 0x80, so they are Variable Byte Integers of one byte.
        guard let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else { return nil }
        self.init(rawValue: first)
    }

    /// The index after the property that begins at the first byte of `bytes`; `nil` if it is cut off.
    func end(in bytes: ByteBuffer) -> Int? {
        let start = bytes.readerIndex + 1
        let end: Int? =
            switch extent {
            case .fixed(let length): start + length
            case .variableByteInteger: Self.endOfInteger(in: bytes, at: start)
            case .prefixed: Self.endOfData(in: bytes, at: start)
            case .pair: Self.endOfData(in: bytes, at: start).flatMap { Self.endOfData(in: bytes, at: $0) }
            }
        return end.flatMap { $0 <= bytes.writerIndex ? $0 : nil }
    }

    /// The index after the property whose value begins there; `nil` if its length is cut off.
    func end(in bytes: UnsafeRawBufferPointer, at start: Int) -> Int? {
        switch extent {
        case .fixed(let length): return start + length
        case .variableByteInteger:
            guard case .value(_, let length) = VariableByteInteger.read(bytes, at: start) else { return nil }
            return start + length
        case .prefixed: return Self.endOfData(in: bytes, at: start)
        case .pair: return Self.endOfData(in: bytes, at: start).flatMap { Self.endOfData(in: bytes, at: $0) }
        }
    }

    private static func endOfData(in bytes: UnsafeRawBufferPointer, at index: Int) -> Int? {
        guard index + 2 <= bytes.count else { return nil }
        return index + 2 + (Int(bytes[index]) << 8 | Int(bytes[index + 1]))
    }

    /// The types of MQTT 5 2.2.2.2, table 2-4, as far as their lengths differ.
    private enum Extent {
        case fixed(Int)
        case variableByteInteger
        /// Two length bytes and as many bytes of data.
        case prefixed
        case pair
    }

    private var extent: Extent {
        switch self {
        case .payloadFormatIndicator, .requestProblemInformation, .requestResponseInformation, .maximumQoS,
            .retainAvailable, .wildcardSubscriptionAvailable, .subscriptionIdentifiersAvailable,
            .sharedSubscriptionAvailable:
            .fixed(1)
        case .serverKeepAlive, .receiveMaximum, .topicAliasMaximum, .topicAlias: .fixed(2)
        case .messageExpiryInterval, .sessionExpiryInterval, .willDelayInterval, .maximumPacketSize: .fixed(4)
        case .subscriptionIdentifier: .variableByteInteger
        case .contentType, .responseTopic, .correlationData, .assignedClientIdentifier, .authenticationMethod,
            .authenticationData, .responseInformation, .serverReference, .reasonString:
            .prefixed
        case .userProperty: .pair
        }
    }

    private static func endOfInteger(in bytes: ByteBuffer, at index: Int) -> Int? {
        switch VariableByteInteger.read(bytes, at: index) {
        case .value(_, let length): index + length
        case .incomplete, .tooLong: nil
        }
    }

    private static func endOfData(in bytes: ByteBuffer, at index: Int) -> Int? {
        bytes.getInteger(at: index, as: UInt16.self).map { index + 2 + Int($0) }
    }
}
