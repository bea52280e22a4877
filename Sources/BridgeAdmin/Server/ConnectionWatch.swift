import NIOCore

/// What a connection to the admin endpoint is doing, and since when. Pure, so that the limits can be tested.
struct ConnectionWatch {
    /// A request has begun that has not been read to its end.
    private(set) var isReading = false
    /// Requests without an answer at its end.
    private(set) var unanswered = 0
    private(set) var idleSince: NIODeadline
    private var readingSince: NIODeadline
    private var stalledSince: NIODeadline?
    private var bodyBytes = 0
    private var hasAsked = false
    /// No further request is answered on this connection.
    private(set) var isLeaving = false

    init(at now: NIODeadline) {
        idleSince = now
        readingSince = now
    }

    /// Whether the connection may be closed without breaking off an answer.
    var isIdle: Bool { unanswered == 0 }

    mutating func requestBegan(at now: NIODeadline) {
        isReading = true
        hasAsked = true
        unanswered += 1
        readingSince = now
        bodyBytes = 0
    }

    /// Returns whether the body is still within `limit`.
    mutating func bodyCame(_ bytes: Int, limit: Int) -> Bool {
        bodyBytes += bytes
        return bodyBytes <= limit
    }

    mutating func requestEnded() {
        isReading = false
    }

    mutating func answered(at now: NIODeadline) {
        unanswered = max(unanswered - 1, 0)
        idleSince = now
    }

    mutating func leaves() {
        isLeaving = true
    }

    mutating func becameWritable(_ isWritable: Bool, at now: NIODeadline) {
        stalledSince = isWritable ? nil : stalledSince ?? now
    }

    /// Whether the client has had its time for what is next.
    func isOverdue(at now: NIODeadline, _ limits: AdminLimits) -> Bool {
        if let stalledSince, now - stalledSince >= limits.stall { return true }
        if isReading, now - readingSince >= limits.request { return true }
        guard unanswered == 0 else { return false }
        return now - idleSince >= (hasAsked && !isLeaving ? limits.idle : limits.request)
    }
}
