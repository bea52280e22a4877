import NIOCore

/// How long a leg is given for what the device sent before its end: as long as it gets through, however slowly.
package struct Farewell: Sendable {
    /// How long the broker may take altogether.
    private static let longest = TimeAmount.minutes(5)

    private let limit: NIODeadline
    /// Bytes that the broker had not acknowledged when they were last looked at.
    private var left: Int

    /// - Parameter left: Bytes that the broker has not acknowledged yet.
    package init(_ left: Int, at now: NIODeadline) {
        self.left = left
        limit = now + Self.longest
    }

    /// Whether the leg is to be given the same time again.
    package mutating func goesOn(_ left: Int, at now: NIODeadline) -> Bool {
        defer { self.left = left }
        return left > 0 && left < self.left && now < limit
    }
}
