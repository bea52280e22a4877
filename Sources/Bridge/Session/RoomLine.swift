import BridgeCore
import NIOCore

/// The sessions of an event loop that can take nothing from their devices until there is room for held sessions. The one
/// that has waited longest is the first to get some.
final class RoomLine {
    /// Lets the session take what it has room for.
    typealias Wake = (_ key: DeviceID) -> Void

    /// How many sessions are looked at in one turn of the event loop.
    private static let turn = 256

    private let budget: HoldBudget
    private let eventLoop: any EventLoop
    private var line = CircularBuffer<DeviceID>()
    private var members: Set<DeviceID> = []
    /// Whether the budget will call.
    private var isAsked = false
    private var wake: Wake?

    init(_ budget: HoldBudget, eventLoop: any EventLoop) {
        self.budget = budget
        self.eventLoop = eventLoop
    }

    /// Calls `wake` once when there is room, but not before this method has returned.
    func join(_ key: DeviceID, _ wake: @escaping Wake) {
        guard members.insert(key).inserted else { return }
        line.append(key)
        self.wake = wake
        ask()
    }

    /// The session has ended.
    func leave(_ key: DeviceID) {
        guard members.remove(key) != nil else { return }
        guard line.count > 2 * members.count else { return }
        line = CircularBuffer(line.filter(members.contains))
    }

    private func ask() {
        guard !isAsked, !members.isEmpty else { return }
        isAsked = true
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        budget.whenRoom { [eventLoop] in eventLoop.execute { this.value.roomCame() } }
    }

    private func roomCame() {
        for _ in 0..<Self.turn where !budget.isFull {
            guard let key = line.popFirst() else { break }
            if members.remove(key) != nil { wake?(key) }
        }
        isAsked = false
        // The line takes no memory while nothing waits.
        if members.isEmpty { (line, members) = (CircularBuffer(), []) } else { ask() }
    }
}

extension SessionDriver {
    /// Whether the session takes a packet of its device. If only the room of held sessions is missing, it is asked again
    /// when there is some.
    func takesDeviceInput() -> Bool {
        if session.takesDeviceInput() { return true }
        if session.awaitsSharedRoom { host.awaitRoom(of: self) }
        return false
    }
}
