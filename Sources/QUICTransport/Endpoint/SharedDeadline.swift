import NIOCore

/// Puts deadlines that are far away on a common grid, so that what thousands of idle connections have to do comes
/// together: one wake-up of the loop, and few system calls for all their keep-alives and the answers to them.
///
/// A distant deadline is a keep-alive, an idle timeout or a probe that has been repeated in vain many times. None of them
/// needs a precision of half a second; see RFC 9000 10.1.2 on how far keep-alives are apart.
enum SharedDeadline {
    private static let grid: UInt64 = 500_000_000
    private static let distance = TimeAmount.seconds(5)

    /// - Returns: How long a connection may be silent before it asks for its keep-alive, so that this leaves after
    ///   `interval` at the latest.
    static func keepAlive(within interval: Duration) -> Duration {
        interval > Duration(distance) ? interval - .nanoseconds(grid) : interval
    }

    /// - Returns: `deadline`, or a time up to half a second later.
    static func `for`(_ deadline: NIODeadline, at now: @autoclosure () -> NIODeadline) -> NIODeadline {
        guard deadline != .distantFuture, deadline > now() + distance else { return deadline }
        let past = deadline.uptimeNanoseconds % grid
        return past == 0 ? deadline : deadline + .nanoseconds(Int64(grid - past))
    }
}
