import DequeModule
import NIOCore

/// Events on their way out, with neighbours of the same kind merged. The flow-control credit that the peer was granted
/// bounds what the queue holds.
struct EventQueue {
    private var queue: Deque<QUICEvent> = []
    /// The stream whose data is at the end of the queue and may still grow.
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

    /// Appends the last event. What is appended after it is dropped.
    mutating func end(_ error: QUICError) {
        append(.closed(error))
        isEnded = true
    }

    mutating func popFirst() -> QUICEvent? {
        if queue.isEmpty {
            settleData()
        }
        let event = queue.popFirst()
        if case .handshakeConfirmed? = event, queue.isEmpty {
            // A handshake's burst of events needed more room than will be needed again.
            queue = []
        }
        return event
    }

    private mutating func settleData() {
        guard let id = dataStream else { return }
        queue.append(.streamData(id, data, fin: isDataLast))
        dataStream = nil
        data = ByteBuffer()
        isDataLast = false
    }
}
