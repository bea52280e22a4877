import QUICTransport

/// The streams of a link over QUIC, by both their names, and what has to be remembered of each.
struct LinkStreams {
    private struct Entry {
        let id: QUICStreamID
        var isOpen = true
        /// Bytes that were handed over and that the session has not taken.
        var unconsumed = 0
        /// Whether the backlog was at the high-water mark or above and has not fallen below the low one since.
        var isFull = false
    }

    /// Bounded by the number of streams that the broker allows: an entry is forgotten when it is closed and owes
    /// nothing.
    private var entries: [LinkStream: Entry] = [:]
    private var names: [QUICStreamID: LinkStream] = [:]
    private var lastNumber = 0

    mutating func addControl(_ id: QUICStreamID) {
        add(.control, id)
    }

    mutating func addData(_ id: QUICStreamID) -> LinkStream {
        lastNumber += 1
        add(.data(lastNumber), id)
        return .data(lastNumber)
    }

    private mutating func add(_ stream: LinkStream, _ id: QUICStreamID) {
        entries[stream] = Entry(id: id)
        names[id] = stream
    }

    /// The identifier of a stream that is open.
    subscript(_ stream: LinkStream) -> QUICStreamID? {
        entries[stream].flatMap { $0.isOpen ? $0.id : nil }
    }

    /// The identifier of a stream that is open or owes credit.
    func id(of stream: LinkStream) -> QUICStreamID? { entries[stream]?.id }

    /// The name of a stream that is open.
    func name(of id: QUICStreamID) -> LinkStream? { names[id] }

    var open: [(LinkStream, QUICStreamID)] { names.map { ($0.value, $0.key) } }

    mutating func close(_ stream: LinkStream) {
        guard let entry = entries[stream] else { return }
        names[entry.id] = nil
        entries[stream]?.isOpen = false
        forgetIfSettled(stream)
    }

    mutating func received(_ bytes: Int, on stream: LinkStream) {
        entries[stream]?.unconsumed += bytes
    }

    /// The session has taken bytes. Returns for how many the broker gets credit: no more than came.
    mutating func consumed(_ bytes: Int, on stream: LinkStream) -> Int {
        guard let entry = entries[stream] else { return 0 }
        let bytes = min(max(bytes, 0), entry.unconsumed)
        entries[stream]?.unconsumed -= bytes
        forgetIfSettled(stream)
        return bytes
    }

    private mutating func forgetIfSettled(_ stream: LinkStream) {
        if let entry = entries[stream], !entry.isOpen, entry.unconsumed == 0 { entries[stream] = nil }
    }

    /// Something was written.
    mutating func note(_ stream: LinkStream, backlog: Int) {
        if backlog >= LinkWaterMarks.high { entries[stream]?.isFull = true }
    }

    /// Whether the backlog has fallen below the low-water mark for the first time since it was at the high one.
    mutating func isWritableAgain(_ stream: LinkStream, backlog: Int) -> Bool {
        guard entries[stream]?.isFull == true, backlog < LinkWaterMarks.low else { return false }
        entries[stream]?.isFull = false
        return true
    }

    /// For tests: how many streams are remembered.
    var count: Int { entries.count }
}
