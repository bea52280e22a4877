import NIOCore

/// The machine's monotonic clock, which all event loops share.
enum Clock {
    static let second: Int64 = 1_000_000_000

    /// In nanoseconds.
    static var now: Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }

    static func nanoseconds(_ seconds: Double) -> Int64 { Int64(seconds * 1e9) }

    static func deadline(_ nanoseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(UInt64(clamping: nanoseconds))
    }
}
