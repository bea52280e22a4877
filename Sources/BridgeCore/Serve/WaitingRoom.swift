/// Counts the bytes from clients that wait for the broker: those of an incomplete CONNECT, and those that arrive before
/// the TCP connection is there. The broker has not authenticated these clients yet, so their bytes are limited, per
/// connection and per event loop.
///
/// A waiting room is confined to one event loop.
package final class WaitingRoom {
    private let capacity: Int
    private let parent: WaitingRoom?
    /// How many bytes are waiting.
    private(set) package var bytes = 0

    package init(capacity: Int, parent: WaitingRoom? = nil) {
        self.capacity = capacity
        self.parent = parent
    }

    /// Adds bytes that came, or subtracts bytes that went if `count` is negative.
    package func change(by count: Int) {
        bytes += count
        parent?.change(by: count)
    }

    /// Whether the limit of this room, or of the rooms it belongs to, is exceeded.
    package var isOverfull: Bool { bytes > capacity || parent?.isOverfull == true }
}

extension WaitingRoom {
    /// The room of one event loop.
    package static func ofLoop(streamBuffer: Int) -> WaitingRoom {
        WaitingRoom(capacity: max(64 << 20, clampedProduct(4, streamBuffer)))
    }

    /// The room of all streams of one connection.
    package static func ofConnection(streamBuffer: Int, on loop: WaitingRoom) -> WaitingRoom {
        WaitingRoom(capacity: max(1 << 20, clampedProduct(2, streamBuffer)), parent: loop)
    }

    private static func clampedProduct(_ factor: Int, _ value: Int) -> Int {
        let (product, overflow) = factor.multipliedReportingOverflow(by: value)
        return overflow ? .max : product
    }
}
