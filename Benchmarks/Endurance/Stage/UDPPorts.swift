import Foundation

/// The UDP ports that a process has.
enum UDPPorts {
    static func ofProcess(_ pid: Int32) -> [Int] {
        let folder = "/proc/\(pid)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let targets = names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
        let sockets = Set(targets.filter { $0.hasPrefix("socket:[") }.map { $0.dropFirst(8).dropLast() })
        let table = (try? String(contentsOfFile: "/proc/\(pid)/net/udp", encoding: .utf8)) ?? ""
        return ports(of: sockets, in: table)
    }

    /// - Parameter table: the content of `/proc/PID/net/udp`, whose second column is the local address with the port in
    ///   hexadecimal digits, and the tenth the number of the socket.
    static func ports(of sockets: Set<Substring>, in table: String) -> [Int] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let columns = line.split(separator: " ")
            guard columns.count > 9, sockets.contains(columns[9]), let port = columns[1].split(separator: ":").last
            else { return nil }
            return Int(port, radix: 16)
        }
    }
}
