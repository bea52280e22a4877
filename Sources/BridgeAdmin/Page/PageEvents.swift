import BridgeCore
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a viewer gets first: everything that the page shows.
struct SnapshotEvent: Encodable {
    /// The program's time, in seconds since 1970-01-01T00:00:00Z.
    let now: Double
    let status: StatusReport
    /// The last 15 minutes, the oldest first.
    let history: [HistorySample]
    let troubles: [Trouble]
}

/// What has changed since: every five seconds with a sample, and in between if the status is another one.
struct TickEvent: Encodable {
    let now: Double
    let status: StatusReport
    let sample: HistorySample?
    /// `nil` if they are the ones that were sent last.
    let troubles: [Trouble]?
}

/// Writes server-sent events (html.spec.whatwg.org/multipage/server-sent-events.html).
enum EventEncoding {
    /// A comment, which keeps the connection in use.
    static let heartbeat = ByteBuffer(string: ": still here\n\n")

    /// JSON has no line breaks of its own, so one `data` line carries it.
    static func event(_ name: String, _ value: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = .withoutEscapingSlashes
        var buffer = ByteBuffer(string: "event: \(name)\ndata: ")
        buffer.writeBytes(try encoder.encode(value))
        buffer.writeString("\n\n")
        return buffer
    }
}
