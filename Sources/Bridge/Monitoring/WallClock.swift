import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Times of day for what event loops note as times since the machine's start.
struct WallClock {
    private let now = NIODeadline.now()
    private let seconds = Date().timeIntervalSince1970

    /// Seconds since 1970-01-01T00:00:00Z.
    func seconds(at time: NIODeadline) -> Double {
        seconds - Double(now.uptimeNanoseconds) / 1e9 + Double(time.uptimeNanoseconds) / 1e9
    }

    /// `nil` for a time that never was.
    func secondsIfAny(at time: NIODeadline) -> Double? {
        time == .distantPast ? nil : seconds(at: time)
    }
}
