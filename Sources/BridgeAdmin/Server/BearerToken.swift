import BridgeCore
import FileReading

/// The token that clients must send.
struct BearerToken: Sendable {
    private let secret: [UInt8]

    init(_ secret: String) {
        self.secret = Array(secret.utf8)
    }

    /// Reads the token from the only line of a file.
    init(file: String) throws(AdminTokenError) {
        let content: [UInt8]
        do {
            // Three more than a token can have: the line break, and what makes it too long.
            content = try BoundedFile.read(file, upTo: AdminToken.maximumLength + 3)
        } catch {
            throw AdminTokenError(file: file, problem: "cannot be read: \(error)")
        }
        var text = String(decoding: content, as: UTF8.self)
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        if let problem = AdminToken.problem(with: text) { throw AdminTokenError(file: file, problem: problem) }
        self.init(text)
    }

    /// As a client sends it.
    var text: String { String(decoding: secret, as: UTF8.self) }

    /// Whether the value of `Authorization` has this token: `Bearer TOKEN` [RFC 6750 2.1]. How long the comparison takes
    /// says nothing about the token.
    func isIn(_ authorization: String) -> Bool {
        let scheme = "bearer "
        guard authorization.prefix(scheme.count).lowercased() == scheme else { return false }
        let given = Array(authorization.utf8.dropFirst(scheme.utf8.count).drop { $0 == UInt8(ascii: " ") })
        guard !secret.isEmpty else { return false }
        var difference = given.count ^ secret.count
        for (index, byte) in given.enumerated() {
            difference |= Int(byte ^ secret[index % secret.count])
        }
        return difference == 0
    }
}

/// The file that `admin.token_file` names has no token in it.
package struct AdminTokenError: Error, Equatable, CustomStringConvertible {
    let file: String
    let problem: String

    package var description: String { "admin.token_file \(file): \(problem)" }
}
