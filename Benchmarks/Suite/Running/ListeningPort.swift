import Foundation

/// A port that a server is to listen on.
package struct ListeningPort {
    package enum Transport: String {
        case tcp
        case udp
    }

    let transport: Transport
    let number: Int

    package init(transport: Transport, number: Int) {
        self.transport = transport
        self.number = number
    }

    /// Programs that stand at a process's place for a moment, before it has become the server in its namespace.
    private static let starters: Set<String> = ["bench", "setpriv", "ip"]

    /// Whether something listens there, in the network namespace of this process.
    package func isOpen(in pid: Int32) -> Bool {
        guard let name = Self.text("/proc/\(pid)/comm"),
            !Self.starters.contains(name.trimmingCharacters(in: .newlines)),
            let table = Self.text("/proc/\(pid)/net/\(transport.rawValue)")
        else { return false }
        return isOpen(in: table)
    }

    /// - Parameter table: the content of `/proc/PID/net/tcp` or `udp`, whose third and fourth columns are the local
    ///   address with the port in hexadecimal digits, and the state: `0A` is a listening TCP socket.
    func isOpen(in table: String) -> Bool {
        table.split(separator: "\n").dropFirst().contains { line in
            let columns = line.split(separator: " ")
            guard columns.count > 3, let port = columns[1].split(separator: ":").last else { return false }
            return Int(port, radix: 16) == number && (transport == .udp || columns[3] == "0A")
        }
    }

    private static func text(_ path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }
}
