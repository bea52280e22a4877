import CNGTCP2

/// A resumption as bytes, for a file that outlives the process. Integers are big-endian; a text is in UTF-8:
///
///     version 1 (1) | writer (1 + n) | flags (1) | received at (8) | lifetime (4) | trust (32)
///     | server name (2 + n) | ALPN (1 + n) | early parameters (2 + n) | session (4 + n) | SHA-256 of it all (32)
///
/// The digest keeps damaged bytes away from GnuTLS, which trusts the session data. It is not a signature: whoever can
/// write the file is trusted. The writer names the versions of the libraries, whose data is not meant for other
/// versions, and the machine's byte order.
extension QUICResumption {
    /// In bytes. Nothing longer is decoded. Tickets have a few hundred bytes, or a few thousand if they hold
    /// certificates; TLS allows 64 KiB.
    package static let maximumEncodedLength = 128 * 1024

    private static let version: UInt8 = 1
    private static let earlyDataFlag: UInt8 = 1

    /// Identifies the libraries that wrote the bytes. Other versions do not read them.
    static var writer: String {
        let order = UInt16(1).bigEndian == 1 ? "big" : "little"
        return "ngtcp2 \(LinkedLibraries.ngtcp2), GnuTLS \(LinkedLibraries.gnuTLS), \(order)-endian"
    }

    /// The resumption as bytes. They are secret.
    package var encoded: [UInt8] { encoded(by: Self.writer) }

    func encoded(by writer: String) -> [UInt8] {
        var bytes: [UInt8] = [Self.version]
        bytes.append(field: Array(writer.utf8), lengthOf: UInt8.self)
        bytes.append(allowsEarlyData ? Self.earlyDataFlag : 0)
        bytes.append(integer: UInt64(bitPattern: receivedAt))
        bytes.append(integer: lifetime)
        bytes += trust
        bytes.append(field: Array(serverName.utf8), lengthOf: UInt16.self)
        bytes.append(field: Array(alpn.utf8), lengthOf: UInt8.self)
        bytes.append(field: earlyParameters, lengthOf: UInt16.self)
        bytes.append(field: session, lengthOf: UInt32.self)
        return Self.sealed(bytes)
    }

    /// The content with its digest behind it.
    package static func sealed(_ content: [UInt8]) -> [UInt8] {
        content + (SHA256.digest(of: content) ?? [])
    }

    /// `nil` for anything but exactly what `encoded` returned with the same versions of the libraries.
    package init?(encoded: some Collection<UInt8>) {
        guard encoded.count <= Self.maximumEncodedLength, encoded.count > SHA256.length else { return nil }
        let content = Array(encoded.dropLast(SHA256.length))
        guard SHA256.digest(of: content).map({ $0.elementsEqual(encoded.suffix(SHA256.length)) }) ?? false else {
            return nil
        }
        var rest = content[...]
        guard rest.popFirst() == Self.version,
            let writer = rest.takeField(lengthOf: UInt8.self), writer.elementsEqual(Self.writer.utf8),
            let flags = rest.popFirst(), flags & ~Self.earlyDataFlag == 0,
            let receivedAt = rest.takeInteger(UInt64.self),
            let lifetime = rest.takeInteger(UInt32.self),
            let trust = rest.take(Int(BRIDGE_QUIC_CA_DIGEST_LENGTH)),
            let serverName = rest.takeText(lengthOf: UInt16.self),
            let alpn = rest.takeText(lengthOf: UInt8.self),
            let earlyParameters = rest.takeField(lengthOf: UInt16.self),
            let session = rest.takeField(lengthOf: UInt32.self),
            rest.isEmpty
        else { return nil }
        self.init(
            session: Array(session), earlyParameters: Array(earlyParameters), serverName: serverName,
            trust: Array(trust), alpn: alpn, allowsEarlyData: flags != 0, receivedAt: Int64(bitPattern: receivedAt),
            lifetime: lifetime)
    }
}

extension [UInt8] {
    fileprivate mutating func append(integer: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: integer.bigEndian) { append(contentsOf: $0) }
    }

    /// A field that is too long for its length is cut. The resumption is then refused or useless, but does no harm.
    fileprivate mutating func append<Length: FixedWidthInteger>(field: [UInt8], lengthOf: Length.Type) {
        let field = field.prefix(Int(clamping: Length.max))
        append(integer: Length(field.count))
        append(contentsOf: field)
    }
}

extension ArraySlice<UInt8> {
    fileprivate mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= self.count else { return nil }
        defer { removeFirst(count) }
        return prefix(count)
    }

    fileprivate mutating func takeInteger<Integer: FixedWidthInteger>(_: Integer.Type) -> Integer? {
        take(MemoryLayout<Integer>.size).map { $0.reduce(0) { $0 << 8 | Integer(truncatingIfNeeded: $1) } }
    }

    fileprivate mutating func takeField<Length: FixedWidthInteger>(lengthOf: Length.Type) -> ArraySlice<UInt8>? {
        takeInteger(Length.self).flatMap { take(Int(clamping: $0)) }
    }

    fileprivate mutating func takeText<Length: FixedWidthInteger>(lengthOf: Length.Type) -> String? {
        takeField(lengthOf: Length.self).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
