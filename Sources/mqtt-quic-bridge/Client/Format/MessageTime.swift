#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A moment, which is shown in the time zone of this process (`TZ`).
struct MessageTime: Equatable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    var seconds: Int
    /// 0 to 999,999,999.
    var nanoseconds: Int

    static func now() -> MessageTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return MessageTime(seconds: Int(time.tv_sec), nanoseconds: Int(time.tv_nsec))
    }

    /// The time as strftime(3) writes it; empty if the result is longer than 255 bytes.
    func formatted(_ format: String) -> String {
        var clock = time_t(seconds)
        var parts = tm()
        guard localtime_r(&clock, &parts) != nil else { return "" }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { space in
            guard let base = space.baseAddress else { return "" }
            let count = strftime(base, space.count, format, &parts)
            return String(decoding: space.prefix(count).lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// `2026-11-29T12:24:00+0100`
    var iso8601: String { formatted("%FT%T%z") }

    /// `1795955041.061626941`
    var unix: String { "\(seconds).\(Self.padded(nanoseconds, 9))" }

    /// The nanoseconds as nine digits.
    var fraction: String { Self.padded(nanoseconds, 9) }

    /// `2026-11-29T12:24:00.025535Z+0100`: the form that mosquitto_sub gives `tst` in its JSON, with a `Z` and an offset.
    var json: String {
        formatted("%FT%T.") + Self.padded(nanoseconds / 1_000, 6) + formatted("Z%z")
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
