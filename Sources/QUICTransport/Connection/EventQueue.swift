import DequeModule
import NIOCore

/// Events on their way out, with neighbours of one kind put together. What it holds is bounded by the flow-control
/// credit given to the peer.
struct EventQueue {
    private var queue: Deque<QUICEvent> = []
    /// Stream data at the end of the queue, still growing.
    private var dataStream: QUICStreamID?
    private var data = ByteBuffer()
    private var isDataLast = false
    private var isEnded = false

    mutating func append(_ event: QUICEvent) {
        guard !isEnded else { return }
        settleData()
        if case .streamDrained(let id, let bytes) = event, case .streamDrained(id, let before)? = queue.last {
            queue[queue.count - 1] = .streamDrained(id, bytes: before + bytes)
        } else {
            queue.append(event)
        }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer, fin: Bool, of id: QUICStreamID) {
        guard !isEnded else { return }
        if dataStream != id || isDataLast {
            settleData()
            dataStream = id
        }
        data.writeBytes(bytes)
        isDataLast = fin
    }

    /// The last event: what comes after it is dropped.
    mutating func end(_ error: QUICError) {
        append(.closed(error))
        isEnded = true
    }

    mutating func popFirst() -> QUICEvent? {
        if queue.isEmpty {
            settleData()
        }
        return queue.popFirst()
    }

    private mutating func settleData() {
        guard let id = dataStream else { return }
        queue.append(.streamData(id, data, fin: isDataLast))
        dataStream = nil
        data = ByteBuffer()
        isDataLast = false
    }
}
