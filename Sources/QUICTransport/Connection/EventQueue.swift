import DequeModule
import NIOCore

/// Events on their way out, with neighbours of the same kind merged. The flow-control credit that the peer was granted
/// bounds what the queue holds.
///
/// Most datagrams lead to one or two events, which need no room beyond the properties of this object.
final class EventQueue {
    /// The event at the end of the queue, which may still grow.
    private enum Growing {
        case none
        case data
        case drained
    }

    /// The next event; `nil` only if `rest` is empty, too.
    private var first: QUICEvent?
    private var rest: Deque<QUICEvent> = []
    private var restCount = 0
    private var growing = Growing.none
    private var stream = QUICStreamID(rawValue: 0)
    private var data = ByteBuffer()
    private var isDataLast = false
    private var drainedBytes = 0
    private var isEnded = false

    func append(_ event: QUICEvent) {
        guard !isEnded else { return }
        settle()
        push(event)
    }

    func append(_ bytes: UnsafeRawBufferPointer, fin: Bool, of id: QUICStreamID) {
        guard !isEnded else { return }
        if growing == .data, stream == id, !isDataLast {
            // Taken out meanwhile, so that it need not be protected from a second access.
            var all = data
            data = ByteBuffer()
            all.writeBytes(bytes)
            data = all
        } else {
            settle()
            var all = ByteBufferAllocator().buffer(capacity: bytes.count)
            all.writeBytes(bytes)
            data = all
            (growing, stream) = (.data, id)
        }
        isDataLast = fin
    }

    /// The peer acknowledged this many bytes of the stream.
    func appendDrained(_ bytes: Int, of id: QUICStreamID) {
        guard !isEnded else { return }
        if growing != .drained || stream != id {
            settle()
            (growing, stream, drainedBytes) = (.drained, id, 0)
        }
        drainedBytes += bytes
    }

    /// Appends the last event. What is appended after it is dropped.
    func end(_ error: QUICError) {
        append(.closed(error))
        isEnded = true
    }

    func popFirst() -> QUICEvent? {
        guard let event = first else { return takeGrowing() }
        first = nil
        if restCount > 0 {
            restCount -= 1
            let next = rest.popFirst()
            first = next
        } else if case .handshakeConfirmed = event {
            // A handshake's burst of events needed more room than will be needed again.
            rest = []
        }
        return event
    }

    private func push(_ event: QUICEvent) {
        guard first != nil else {
            first = event
            return
        }
        restCount += 1
        rest.append(event)
    }

    private func settle() {
        if let event = takeGrowing() { push(event) }
    }

    private func takeGrowing() -> QUICEvent? {
        defer { growing = .none }
        switch growing {
        case .none:
            return nil
        case .drained:
            return .streamDrained(stream, bytes: drainedBytes)
        case .data:
            let all = data
            data = ByteBuffer()
            return .streamData(stream, all, fin: isDataLast)
        }
    }
}
