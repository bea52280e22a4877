import BridgeCore
import Logging

/// The warnings and errors of late, for the status page. The same message is kept once, with its last details.
struct RecentTroubles {
    static let maximumMessages = 50
    /// The details of one message: how many, and how long a value may be.
    static let maximumFields = 16
    static let maximumLength = 256

    /// The one noted last comes last.
    private var troubles: [Trouble] = []

    /// The newest first.
    var all: [Trouble] { troubles.reversed() }

    /// - Parameter seconds: Since 1970-01-01T00:00:00Z.
    mutating func note(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, at seconds: Double) {
        var count = 1
        if let index = troubles.firstIndex(where: { $0.message == message && $0.level == level.rawValue }) {
            count += troubles.remove(at: index).count
        } else if troubles.count == Self.maximumMessages {
            troubles.removeFirst()
        }
        let fields = metadata.sorted { $0.key < $1.key }.prefix(Self.maximumFields).map { name, value in
            (name, LogText.cut("\(value)", to: Self.maximumLength))
        }
        troubles.append(
            Trouble(
                time: seconds, level: level.rawValue, message: message, count: count,
                fields: Dictionary(fields) { first, _ in first }))
    }
}
