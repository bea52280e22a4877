/// Counts the bytes of clients that wait for the broker: those of a CONNECT that is not whole yet, and those that come
/// before the TCP connection is there. Nobody has been asked yet whether these clients may be here at all, so what they
/// can make this program keep has bounds, for each connection and for all of an event loop together.
///
/// Confined to one event loop.
package final class WaitingRoom {
    private let capacity: Int
    private let parent: WaitingRoom?
    private(set) package var bytes = 0

    package init(capacity: Int, parent: WaitingRoom? = nil) {
        self.capacity = capacity
        self.parent = parent
    }

    /// Counts what came, or went where it is negative.
    package func change(by count: Int) {
        bytes += count
        parent?.change(by: count)
    }

    /// More waits than there is room for, here or in all rooms together.
    package var isOverfull: Bool { bytes > capacity || parent?.isOverfull == true }
}

extension WaitingRoom {
    /// Of one event loop.
    package static func ofLoop(streamBuffer: Int) -> WaitingRoom {
        WaitingRoom(capacity: max(64 << 20, clampedProduct(4, streamBuffer)))
    }

    /// Of one connection, however many streams it has.
    package static func ofConnection(streamBuffer: Int, on loop: WaitingRoom) -> WaitingRoom {
        WaitingRoom(capacity: max(1 << 20, clampedProduct(2, streamBuffer)), parent: loop)
    }

    private static func clampedProduct(_ factor: Int, _ value: Int) -> Int {
        let (product, overflow) = factor.multipliedReportingOverflow(by: value)
        return overflow ? .max : product
    }
}
