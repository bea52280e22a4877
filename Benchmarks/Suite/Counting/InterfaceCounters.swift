import Foundation

/// What has passed the network interfaces of a namespace, in both directions. The loopback interface does not count.
package struct InterfaceCounters: Sendable, Equatable {
    package var packets = 0
    package var bytes = 0

    /// - Parameter text: the content of `/proc/PID/net/dev`.
    /// - Returns: `nil` if the text has another form.
    package init?(parsing text: String) {
        var found = false
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            found = true
            guard line[..<colon].drop(while: { $0 == " " }) != "lo" else { continue }
            // Eight columns about receiving, which begin with bytes and packets, and eight about sending.
            let columns = line[line.index(after: colon)...].split(separator: " ").map { Int($0) }
            guard columns.count >= 16, let received = columns[0], let packetsReceived = columns[1],
                let sent = columns[8], let packetsSent = columns[9]
            else { return nil }
            bytes += received + sent
            packets += packetsReceived + packetsSent
        }
        guard found else { return nil }
    }

    /// The counters of the namespace in which a process runs.
    static func ofNamespace(with pid: Int32) -> InterfaceCounters? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/net/dev", encoding: .utf8) else { return nil }
        return InterfaceCounters(parsing: text)
    }
}
