import QUICTransport

/// The handshake, and what it took to get there.
package struct HandshakeFinding: Sendable, Equatable, Encodable {
    /// An address that did not work.
    package struct Attempt: Sendable, Equatable, Encodable {
        package var address: String
        package var problem: String

        package init(address: String, problem: String) {
            self.address = address
            self.problem = problem
        }
    }

    /// The broker's address and port.
    package var address: String
    package var milliseconds: Double
    /// The smoothed round trip at the end of the handshake.
    package var roundTripMilliseconds: Double
    package var tlsVersion: String
    package var cipher: String
    /// The key exchange group.
    package var group: String
    /// The protocol that the broker chose.
    package var alpn: String
    /// The protocols that it could choose from.
    package var alpnOffered: [String]
    /// The addresses that were tried before.
    package var failedAttempts: [Attempt]

    package init(
        address: String, milliseconds: Double, roundTripMilliseconds: Double, tlsVersion: String, cipher: String,
        group: String, alpn: String, alpnOffered: [String], failedAttempts: [Attempt] = []
    ) {
        self.address = address
        self.milliseconds = milliseconds
        self.roundTripMilliseconds = roundTripMilliseconds
        self.tlsVersion = tlsVersion
        self.cipher = cipher
        self.group = group
        self.alpn = alpn
        self.alpnOffered = alpnOffered
        self.failedAttempts = failedAttempts
    }
}

/// The certificates that the broker showed.
package struct ChainFinding: Sendable, Equatable, Encodable {
    package struct Certificate: Sendable, Equatable, Encodable {
        package var subject: String
        package var issuer: String
        package var names: [String]
        package var key: String
        package var signature: String
        /// ISO 8601, in UTC.
        package var validFrom: String
        /// ISO 8601, in UTC.
        package var validUntil: String
        /// Rounded down; negative if the certificate has expired.
        package var daysLeft: Int
    }

    /// The broker's own certificate first. Empty if it showed none.
    package var certificates: [Certificate]
    /// Why the chain was refused; `nil` if it was verified.
    package var problem: String?

    /// - Parameter now: In seconds since 1970.
    package init(_ certificates: [QUICCertificate], problem: String?, now: Int64) {
        self.certificates = certificates.map { Certificate($0, now: now) }
        self.problem = problem
    }
}

extension ChainFinding.Certificate {
    /// What there is to say besides its subject, in lines for a person.
    package var details: [String] {
        let rest =
            daysLeft < 0 ? "expired \(Words.count(-daysLeft, "day")) ago" : "\(Words.count(daysLeft, "day")) left"
        return (names.isEmpty ? [] : ["for \(names.joined(separator: ", "))"]) + [
            "issued by \(issuer)", "\(key), signed with \(signature)", "valid until \(validUntil), \(rest)",
        ]
    }

    /// - Parameter now: In seconds since 1970.
    init(_ certificate: QUICCertificate, now: Int64) {
        let left = certificate.notAfter.subtractingReportingOverflow(now)
        let seconds = left.overflow ? Int64.max : left.partialValue
        let days = seconds / 86_400 - (seconds % 86_400 < 0 ? 1 : 0)
        self.init(
            subject: certificate.subject, issuer: certificate.issuer, names: certificate.names, key: certificate.key,
            signature: certificate.signature, validFrom: "\(UTCTime(certificate.notBefore))",
            validUntil: "\(UTCTime(certificate.notAfter))", daysLeft: Int(days))
    }
}

/// What the broker announced about itself (RFC 9000 18.2). Sizes are in bytes.
package struct ParametersFinding: Sendable, Equatable, Encodable {
    /// 0 if the broker has none.
    package var idleTimeoutMilliseconds: Double
    package var maxUDPPayloadSize: UInt64
    package var initialMaxData: UInt64
    /// How many bytes the client may send on a stream that it opens.
    package var initialMaxStreamData: UInt64
    package var initialMaxStreamsBidi: UInt64
    package var initialMaxStreamsUni: UInt64
    package var maxAckDelayMilliseconds: Double
    package var activeConnectionIDLimit: UInt64
    /// 0 if the broker takes no DATAGRAM frames.
    package var maxDatagramFrameSize: UInt64
    package var isActiveMigrationDisabled: Bool
    package var hasPreferredAddress: Bool

    package init(
        idleTimeoutMilliseconds: Double, maxUDPPayloadSize: UInt64, initialMaxData: UInt64,
        initialMaxStreamData: UInt64, initialMaxStreamsBidi: UInt64, initialMaxStreamsUni: UInt64,
        maxAckDelayMilliseconds: Double, activeConnectionIDLimit: UInt64, maxDatagramFrameSize: UInt64 = 0,
        isActiveMigrationDisabled: Bool = false, hasPreferredAddress: Bool = false
    ) {
        self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
        self.maxUDPPayloadSize = maxUDPPayloadSize
        self.initialMaxData = initialMaxData
        self.initialMaxStreamData = initialMaxStreamData
        self.initialMaxStreamsBidi = initialMaxStreamsBidi
        self.initialMaxStreamsUni = initialMaxStreamsUni
        self.maxAckDelayMilliseconds = maxAckDelayMilliseconds
        self.activeConnectionIDLimit = activeConnectionIDLimit
        self.maxDatagramFrameSize = maxDatagramFrameSize
        self.isActiveMigrationDisabled = isActiveMigrationDisabled
        self.hasPreferredAddress = hasPreferredAddress
    }

    init(_ parameters: QUICTransportParameters) {
        self.init(
            idleTimeoutMilliseconds: parameters.idleTimeout.milliseconds,
            maxUDPPayloadSize: parameters.maxUDPPayloadSize, initialMaxData: parameters.initialMaxData,
            initialMaxStreamData: parameters.initialMaxStreamDataBidiRemote,
            initialMaxStreamsBidi: parameters.initialMaxStreamsBidi,
            initialMaxStreamsUni: parameters.initialMaxStreamsUni,
            maxAckDelayMilliseconds: parameters.maxAckDelay.milliseconds,
            activeConnectionIDLimit: parameters.activeConnectionIDLimit,
            maxDatagramFrameSize: parameters.maxDatagramFrameSize,
            isActiveMigrationDisabled: parameters.disablesActiveMigration,
            hasPreferredAddress: parameters.hasPreferredAddress)
    }
}

extension Duration {
    /// Rounded to hundredths.
    package var milliseconds: Double {
        let (seconds, attoseconds) = components
        return ((Double(seconds) * 1e3 + Double(attoseconds) / 1e15) * 100).rounded() / 100
    }
}
