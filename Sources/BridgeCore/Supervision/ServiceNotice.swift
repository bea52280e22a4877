/// One message to the service manager (sd_notify(3)).
package enum ServiceNotice: Sendable, Equatable {
    /// The program listens.
    case ready(status: String?)
    /// A text for operators, which `systemctl status` shows.
    case status(String)
    /// Every event loop turns.
    case watchdog
    /// The configuration is being read again; ``ready(status:)`` follows. The time is that of the monotonic clock.
    case reloading(monotonicMicroseconds: UInt64)
    /// The program is ending.
    case stopping(status: String)

    /// The longest status text, in bytes.
    package static let maximumStatus = 1_000

    /// The datagram: one assignment in each line.
    package var datagram: [UInt8] {
        let text =
            switch self {
            case .ready(let status): "READY=1\(status.map { "\n" + Self.line($0) } ?? "")"
            case .status(let status): Self.line(status)
            case .watchdog: "WATCHDOG=1"
            case .reloading(let time): "RELOADING=1\nMONOTONIC_USEC=\(time)"
            case .stopping(let status): "STOPPING=1\n\(Self.line(status))"
            }
        return [UInt8](text.utf8)
    }

    /// No text can begin another assignment, because control characters become spaces.
    private static func line(_ status: String) -> String {
        var text = "STATUS="
        var length = 0
        for scalar in status.unicodeScalars {
            let shown = scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar
            length += UTF8.width(shown)
            guard length <= maximumStatus else { break }
            text.unicodeScalars.append(shown)
        }
        return text
    }
}
