import NIOCore
import QUICTransport
import TLSTransport

/// Why an attempt to reach the broker on one way has failed.
struct LinkFailure: Sendable, Equatable {
    var obstacle: LinkPlan.Obstacle
    /// What to tell the caller.
    var error: MQTTClientError
    /// Whether another try may go better.
    var isRetryUseful: Bool

    private init(_ obstacle: LinkPlan.Obstacle, _ error: MQTTClientError) {
        self.obstacle = obstacle
        self.error = error
        switch error {
        case .certificateRefused, .clientCertificateRefused, .applicationProtocolNotOffered, .invalidTLSFile,
            .invalidArgument:
            isRetryUseful = false
        default:
            isRetryUseful = true
        }
    }

    /// A failure over QUIC, of the lookup before it, or of reading the files.
    ///
    /// - Parameters:
    ///   - cause: The most informative error; `nil` if there is none.
    ///   - why: A sentence for the case that the error is of no known kind.
    ///   - kind: What is known without an error.
    init(cause: (any Error)?, why: String, kind: ConnectFailure, on target: LinkTarget) {
        switch cause {
        case let error as QUICError:
            self.init(.connection(ConnectFailure(error)), MQTTClientError(error, at: target))
        case let error as QUICResolutionError:
            self.init(.name, .nameNotFound(host: error.host, detail: error.reason))
        case let error as TLSFailure:
            self.init(error, on: target)
        default:
            self.init(.connection(kind), .unreachable(address: target.hostAndPort, detail: why))
        }
    }

    /// A failure over TLS.
    init(_ failure: TLSFailure, on target: LinkTarget) {
        let error: MQTTClientError =
            switch failure.kind {
            case .unanswered, .network:
                .unreachable(address: target.hostAndPort, detail: failure.description)
            case .alpnMismatch:
                .applicationProtocolNotOffered(address: target.hostAndPort, alpn: target.alpn)
            case .certificate where failure.concernsClientCertificate:
                .clientCertificateRefused(detail: failure.description)
            case .certificate:
                .certificateRefused(host: target.host, certificate: failure.description)
            case .refused, .other:
                .handshakeFailed(address: target.hostAndPort, detail: failure.description)
            }
        self.init(.connection(failure.kind), error)
    }

    /// Neither way worked. A certificate says more than a network that swallows everything.
    static func both(_ quic: LinkFailure, _ tls: LinkFailure, host: String) -> LinkFailure {
        switch tls.error {
        case .unreachable, .handshakeTimedOut, .nameNotFound, .handshakeFailed:
            LinkFailure(
                tls.obstacle,
                .unreachable(address: host, detail: "over QUIC: \(quic.shortWords); over TLS: \(tls.shortWords)"))
        default:
            tls
        }
    }

    /// The error without the advice that the whole error gives.
    private var shortWords: String {
        switch error {
        case .unreachable(_, let detail): detail
        case .handshakeFailed(_, let detail): detail
        default: "\(error)"
        }
    }
}

extension MQTTClientError {
    private static let verdict = "certificate not trusted: "

    /// The words of QUIC and TLS begin with the verdict, which the description of this error has as well.
    static func certificateRefused(host: String, certificate words: String) -> Self {
        let detail = words.hasPrefix(verdict) ? String(words.dropFirst(verdict.count)) : words
        return .certificateRefused(host: host, detail: detail)
    }
}

/// What an attempt is about, for messages.
struct LinkTarget: Sendable, Equatable {
    var host: String
    var port: Int
    var alpn: String

    var hostAndPort: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
