import QUICTransport

/// Why a broker cannot be used, for an operator and for scripts.
package struct ProbeFailure: Error, Sendable, Equatable {
    /// The class of a failure. Each has an exit code of its own; most are those of sysexits.h.
    package enum Kind: String, Sendable, CaseIterable, Encodable {
        /// A file of the command line cannot be used.
        case file
        /// The host name has no address.
        case name
        /// Nothing answers over UDP: a closed port, a firewall, no network.
        case unreachable
        /// The certificate is not acceptable.
        case certificate
        /// The peer speaks another version of QUIC, or none of the protocols offered.
        case `protocol`
        /// The peer accepts no connections or sessions now.
        case busy
        /// CONNACK refuses the client, or the broker does not accept its certificate.
        case refused
        /// The broker answered, but something broke off: the handshake, the connection, or the answer to CONNECT.
        case broken
        /// QUIC works, but the port of `--fallback-port` does not.
        case fallback
        /// An error of this program.
        case `internal`

        /// What the class means for the operator.
        package var words: String {
            switch self {
            case .file: "a file cannot be used"
            case .name: "the host name was not found"
            case .unreachable: "the broker cannot be reached over UDP"
            case .certificate: "the broker's certificate is not acceptable"
            case .protocol: "the broker and this program have no protocol in common"
            case .busy: "the broker takes no more clients now"
            case .refused: "the broker refuses this client"
            case .broken: "the broker answers, but something broke off"
            case .fallback: "the broker can be used over QUIC, but not over TLS"
            case .internal: "an error of this program"
            }
        }

        /// The exit code of the command.
        package var exitCode: Int32 {
            switch self {
            case .fallback: 1
            case .certificate: 65
            case .name: 68
            case .unreachable: 69
            case .internal: 70
            case .broken: 74
            case .busy: 75
            case .protocol: 76
            case .refused: 77
            case .file: 78
            }
        }
    }

    package var kind: Kind
    /// What happened and what to check, in one line.
    package var reason: String

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    package init(_ error: QUICError) {
        self.init(Self.kind(of: error), "\(error)")
    }

    private static func kind(of error: QUICError) -> Kind {
        switch error {
        case .noAnswer, .unreachable: .unreachable
        case .certificateNotTrusted, .hostNameMismatch, .certificateExpired, .certificateNotYetValid,
            .certificateUnacceptable, .peerCertificateMissing:
            .certificate
        case .clientCertificateRequired, .clientCertificateRefused: .refused
        case .alpnRefused, .versionNegotiationFailed: .protocol
        // Application code 2 is what EMQX closes with when it has too much to do.
        case .connectionRefused, .applicationClosed(code: 2, reason: _): .busy
        case .handshakeTimeout, .idleTimeout, .tlsAlert, .transportError, .applicationClosed, .statelessReset,
            .localClose:
            .broken
        case .fileUnreadable, .invalidServerName: .file
        case .notPossibleNow, .internalError: .internal
        }
    }

    /// How far an attempt came that ended like this: the failure of the one that came furthest says most.
    var progress: Int {
        switch kind {
        case .file, .name, .fallback, .internal: 0
        case .unreachable: 1
        case .busy: 2
        case .broken: 3
        case .protocol: 4
        case .certificate: 5
        case .refused: 6
        }
    }
}
