import BridgeCore

/// Why there is no TLS connection: `description` says in one line what happened and what to check.
struct TLSUplinkError: Error, CustomStringConvertible {
    let kind: UplinkWay.Failure
    let description: String

    init(_ kind: UplinkWay.Failure, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
