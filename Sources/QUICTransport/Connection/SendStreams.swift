import DequeModule

/// The open streams of a connection, and the order in which they get room in its packets.
struct SendStreams {
    private var byID: [QUICStreamID: SendStream] = [:]
    /// The streams that have something to send and are not known to be blocked, each once, in the order of their turns.
    private var queue: Deque<SendStream> = []
    /// The streams that wait for the connection's flow-control credit, each once.
    private var starved: [SendStream] = []
    /// How many streams of `starved` were closed while they waited.
    private var closedWhileStarved = 0

    var isEmpty: Bool { byID.isEmpty }
    var count: Int { byID.count }
    var values: Dictionary<QUICStreamID, SendStream>.Values { byID.values }
    var hasQueued: Bool { !queue.isEmpty }
    var starvedCount: Int { starved.count }

    subscript(_ id: QUICStreamID) -> SendStream? { byID[id] }

    mutating func add(_ id: QUICStreamID) {
        byID[id] = SendStream(id: id)
    }

    mutating func close(_ id: QUICStreamID) {
        guard let stream = byID.removeValue(forKey: id) else { return }
        stream.shut()
        if stream.isStarved { forgetStarved() }
    }

    mutating func removeAll() {
        byID.removeAll()
        queue.removeAll()
        starved.removeAll()
        closedWhileStarved = 0
    }

    /// Puts a stream at the end of the queue, unless it is there or has nothing to send.
    mutating func enqueue(_ stream: SendStream) {
        guard stream.hasSomethingToSend, !stream.isQueued else { return }
        stream.isQueued = true
        queue.append(stream)
    }

    /// Gives a stream that had no part in the last packet its turn back.
    mutating func returnToFront(_ stream: SendStream) {
        stream.isQueued = true
        queue.prepend(stream)
    }

    /// Takes the next stream that has something to send out of the queue.
    mutating func popNext() -> SendStream? {
        while let stream = queue.popFirst() {
            stream.isQueued = false
            if stream.hasSomethingToSend { return stream }
        }
        return nil
    }

    /// The stream has to wait for the connection's credit.
    mutating func starve(_ stream: SendStream) {
        guard !stream.isStarved else { return }
        stream.isStarved = true
        starved.append(stream)
    }

    /// The connection has credit again.
    mutating func wakeStarved() {
        let waiting = starved
        starved.removeAll()
        closedWhileStarved = 0
        for stream in waiting {
            stream.isStarved = false
            enqueue(stream)
        }
    }

    /// A stream was closed while it waited for credit. Closed streams leave together when they are half of those that
    /// wait: removing them one by one would search through all of them each time.
    private mutating func forgetStarved() {
        closedWhileStarved += 1
        guard closedWhileStarved > starved.count / 2 else { return }
        starved.removeAll { $0.isShut }
        closedWhileStarved = 0
    }
}
