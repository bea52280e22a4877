import DequeModule

/// The open streams of a connection, and the order in which they get room in its packets.
final class SendStreams {
    private var byID: [Int64: SendStream] = [:]
    /// The stream that was looked up last, and usually is the next one, too.
    private var latest: SendStream?
    /// The streams that have something to send and are not known to be blocked, each once, in the order of their turns:
    /// the first one, and the others.
    private var first: SendStream?
    private var others: Deque<SendStream> = []
    private var othersCount = 0
    /// The streams that wait for the connection's flow-control credit, each once.
    private var starved: [SendStream] = []
    private(set) var starvedCount = 0
    /// How many streams of `starved` were closed while they waited.
    private var closedWhileStarved = 0

    var isEmpty: Bool { byID.isEmpty }
    var count: Int { byID.count }
    var values: Dictionary<Int64, SendStream>.Values { byID.values }
    var hasQueued: Bool { first != nil }

    subscript(_ id: QUICStreamID) -> SendStream? {
        if let latest, latest.id == id { return latest }
        guard let stream = byID[id.rawValue] else { return nil }
        latest = stream
        return stream
    }

    func add(_ id: QUICStreamID) {
        latest = nil
        byID[id.rawValue] = SendStream(id: id)
    }

    func close(_ id: QUICStreamID) {
        latest = nil
        guard let stream = byID.removeValue(forKey: id.rawValue) else { return }
        stream.shut()
        if stream.isStarved { forgetStarved() }
    }

    func removeAll() {
        byID.removeAll()
        (latest, first) = (nil, nil)
        others.removeAll()
        othersCount = 0
        setStarved([])
    }

    /// Puts a stream at the end of the queue, unless it is there or has nothing to send.
    func enqueue(_ stream: SendStream) {
        guard stream.hasSomethingToSend, !stream.isQueued else { return }
        stream.isQueued = true
        guard first != nil else {
            first = stream
            return
        }
        others.append(stream)
        othersCount += 1
    }

    /// Gives a stream that had no part in the last packet its turn back.
    func returnToFront(_ stream: SendStream) {
        stream.isQueued = true
        if let second = first {
            others.prepend(second)
            othersCount += 1
        }
        first = stream
    }

    /// Takes the next stream that has something to send out of the queue.
    func popNext() -> SendStream? {
        while let stream = first {
            first = nil
            if othersCount > 0 {
                othersCount -= 1
                let next = others.popFirst()
                first = next
            }
            stream.isQueued = false
            if stream.hasSomethingToSend { return stream }
        }
        return nil
    }

    /// The stream has to wait for the connection's credit.
    func starve(_ stream: SendStream) {
        guard !stream.isStarved else { return }
        stream.isStarved = true
        starved.append(stream)
        starvedCount += 1
    }

    /// The connection has credit again.
    func wakeStarved() {
        let waiting = starved
        setStarved([])
        for stream in waiting {
            stream.isStarved = false
            enqueue(stream)
        }
    }

    /// A stream was closed while it waited for credit. Closed streams leave together when they are half of those that
    /// wait: removing them one by one would search through all of them each time.
    private func forgetStarved() {
        closedWhileStarved += 1
        guard closedWhileStarved > starvedCount / 2 else { return }
        setStarved(starved.filter { !$0.isShut })
    }

    private func setStarved(_ streams: [SendStream]) {
        starved = streams
        starvedCount = streams.count
        closedWhileStarved = 0
    }
}
