import BridgeCore

/// What a bundle says that TESAIoT made for one device: where the broker is, and who the device is there.
///
/// Everything is optional here, because bundles differ in what they contain. ``findings`` says what is missing.
package struct DeviceBundle: Sendable, Equatable {
    /// A value, with the place where it is written.
    package struct Entry<Value: Sendable & Equatable>: Sendable, Equatable {
        package var value: Value
        package var origin: Origin
    }

    package enum Password: Sendable, Equatable {
        case secret(Secret)
        /// A text in angle brackets, which someone has to replace by the password: `<your device password>`. It is not
        /// kept, because it may be the password itself, between brackets that were left.
        case placeholder
    }

    /// The broker's host name or IP address.
    package var host: Entry<String>?
    /// The UDP port at which the broker takes MQTT over QUIC.
    package var port: Entry<Int>?
    /// The broker's other ports, in the order in which they were found: MQTT over TLS over TCP.
    package var fallbacks: [Entry<BundleFallback>] = []
    /// The name of the file of CA certificates in the folder of the bundle.
    package var ca: Entry<String>?
    /// On TESAIoT this is the device id, and the client id too.
    package var username: Entry<String>?
    package var password: Entry<Password>?
    /// The files that were read, by their names in the folder.
    package var files: [BundleFile] = []
    package var findings: [BundleFinding] = []

    /// The port for a client that has no certificate of its own, if the bundle names one.
    package var fallback: Entry<BundleFallback>? { fallbacks.first { !$0.value.needsCertificate } }

    /// The identity that the device has at the broker; `nil` if the user name is missing, or the password is missing or
    /// a placeholder.
    package var identity: (username: String, password: Secret)? {
        guard let username, case .secret(let password)? = password?.value else { return nil }
        return (username.value, password)
    }
}

/// A port at which the broker takes MQTT over TLS over TCP.
package struct BundleFallback: Sendable, Equatable {
    /// `nil` if it is at the same host as MQTT over QUIC.
    package var host: String?
    package var port: Int
    /// Whether clients have to show a certificate there (mutual TLS).
    package var needsCertificate: Bool
}

/// Something about a bundle that its owner should know. It does not quote a secret.
package struct BundleFinding: Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// The bundle does not contain something that is needed.
        case missing
        /// A text in angle brackets stands for a value that someone has to enter.
        case placeholder
        /// Two places of the bundle say different things. The first one is used.
        case contradiction
        /// Other users of this machine can read a password.
        case exposed
        /// The bundle asks for something that this program does not do, or does always.
        case remark
    }

    /// What a bundle has to say.
    package enum Subject: Sendable {
        case host, port, username, password, authorities
    }

    package var kind: Kind
    /// What is missing or a placeholder; `nil` for other kinds of findings.
    package var subject: Subject?
    package var origin: Origin
    /// What is wrong and what would be right, in one line.
    package var message: String

    package var description: String { "\(origin): \(message)" }
}

/// The files of a bundle that are read. There are others, such as `README-MQTT-QUIC.txt`, which are for people.
package enum BundleFile: String, Sendable, CaseIterable {
    case configuration = "mqtt-quic-config.json"
    case dotEnv = ".env"
    case endpoints = "endpoints.json"
    case authorities = "ca-chain.pem"

    /// In bytes. A real bundle has less than 2 KB of JSON and less than 8 KB of certificates.
    package static let maximumSize = 262_144
}
