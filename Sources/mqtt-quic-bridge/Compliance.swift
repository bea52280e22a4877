/// How a connection to the broker meets the levels that TESAIoT claims by the rules of Thailand's NCSA, by what its
/// handshake showed.
struct Compliance {
    /// What encrypts the connection.
    var transport: String
    /// The name that the certificate carries, and what verified it. Without that there is no connection.
    var verification: String
    /// As the TLS library names it.
    var version: String

    static let modern = "TLS 1.3"

    /// Level 1: encrypted transport and a verified server.
    /// Level 2: modern cryptography, which means TLS 1.3.
    ///
    /// - Parameter row: Makes a line of a name and a text.
    func lines(_ row: (_ name: String, _ text: String) -> String) -> [String] {
        let isModern = version == Self.modern
        return [
            "NCSA level 1: met",
            row("encrypted transport", "yes (\(transport))"),
            row("server verified", "yes (\(verification))"),
            "NCSA level 2: \(isModern ? "met" : "not met")",
            row("TLS 1.3", isModern ? "yes" : "no (\(version))"),
        ]
    }
}
