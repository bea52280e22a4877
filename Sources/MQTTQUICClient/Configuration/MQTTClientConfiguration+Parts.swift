extension MQTTClientConfiguration {
    /// Where MQTT over TLS over TCP is to be had.
    public struct Fallback: Sendable, Equatable {
        /// `nil` means the same host.
        public var host: String?
        /// The TCP port.
        public var port: Int

        public init(host: String? = nil, port: Int = 8884) {
            self.host = host
            self.port = port
        }
    }

    public struct Credentials: Sendable, Equatable {
        public var username: String?
        /// Any bytes. MQTT 3.1.1 allows a password only with a user name.
        public var password: [UInt8]?

        public init(username: String?, password: [UInt8]?) {
            self.username = username
            self.password = password
        }

        public init(username: String, password: String) {
            self.init(username: username, password: Array(password.utf8))
        }
    }

    /// Which authorities to trust, and the certificate that identifies this client.
    public struct TLS: Sendable, Equatable {
        /// Where the certificates are that the broker's chain has to lead to.
        public enum Trust: Sendable, Equatable {
            /// What the operating system trusts.
            case system
            /// A PEM file.
            case file(String)
            /// PEM text.
            case pem(String)
        }

        /// Two PEM files.
        public struct ClientCertificate: Sendable, Equatable {
            /// The client's certificate and its intermediates.
            public var chainFile: String
            public var keyFile: String

            public init(chainFile: String, keyFile: String) {
                self.chainFile = chainFile
                self.keyFile = keyFile
            }
        }

        public var trust: Trust
        public var clientCertificate: ClientCertificate?
        /// The name that the broker's certificate has to be for. `nil` means the host.
        public var serverName: String?

        public init(
            trust: Trust = .system, clientCertificate: ClientCertificate? = nil, serverName: String? = nil
        ) {
            self.trust = trust
            self.clientCertificate = clientCertificate
            self.serverName = serverName
        }
    }

    /// Where tickets are kept, with which a later handshake is shorter.
    public enum Tickets: Sendable, Equatable {
        case memory
        /// The path of a file, which is made with mode 0600. Tickets then last beyond the process.
        case file(String)
        case off
    }

    public enum CongestionControl: Sendable, Equatable {
        case cubic, bbr
    }

    /// How a lost connection is made anew: after `initial`, and then after twice as long each time, up to `maximum`.
    /// Each wait is shortened by a random part of up to a half, so that many clients do not come at once. Only the first
    /// wait may be shorter than 100 ms.
    public struct Reconnect: Sendable, Equatable {
        public var initial: Duration
        public var maximum: Duration
        /// How many tries may fail in a row before the client gives up. `nil` means that it never does.
        public var attempts: Int?

        public init(initial: Duration = .seconds(1), maximum: Duration = .seconds(60), attempts: Int? = nil) {
            self.initial = initial
            self.maximum = maximum
            self.attempts = attempts
        }
    }
}
