/// The address of the datagram socket on which a service manager wants to be told of the program's state: systemd's
/// `NOTIFY_SOCKET` (sd_notify(3)).
package struct NotifySocket: Sendable, Equatable {
    /// The bytes of `sun_path`. The address of an abstract socket begins with a zero byte and has none at its end; a path
    /// is followed by one, which is not part of this.
    package let path: [UInt8]

    /// The longest `sun_path` on Linux, in bytes.
    private static let capacity = 108

    /// Throws what is wrong with the value of `NOTIFY_SOCKET`.
    package init(parsing value: String) throws(SupervisionError) {
        var bytes = [UInt8](value.utf8)
        guard !bytes.contains(0) else { throw SupervisionError("NOTIFY_SOCKET", value, "contains a zero byte") }
        let isAbstract = bytes.first == UInt8(ascii: "@")
        guard isAbstract || bytes.first == UInt8(ascii: "/") else {
            throw SupervisionError(
                "NOTIFY_SOCKET", value,
                "is neither a path that begins with / nor an abstract address that begins with @")
        }
        guard bytes.count > 1 else { throw SupervisionError("NOTIFY_SOCKET", value, "names no socket") }
        guard bytes.count <= (isAbstract ? Self.capacity : Self.capacity - 1) else {
            throw SupervisionError("NOTIFY_SOCKET", value, "is longer than the address of a UNIX socket can be")
        }
        if isAbstract { bytes[0] = 0 }
        path = bytes
    }
}

/// What is wrong with a variable that a service manager sets. The description names the variable.
package struct SupervisionError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ variable: String, _ value: String, _ problem: String) {
        description = "the environment variable \(variable)=\(value.quotedForMessage()) \(problem)"
    }

    package init(_ description: String) {
        self.description = description
    }
}
