import NIOCore

// How many handshakes an endpoint accepts at once, and what happens to those that it refuses.
extension DialPolicy {
    enum PlaceDecision {
        /// `nil` if this way has no window.
        case taken(HandshakeWindow.Place?)
        case wait(until: NIODeadline?)
    }

    /// - Parameter waker: The plan that is woken when there may be room, if there is none now.
    mutating func takePlace(_ way: UplinkWay, for waker: Int, at now: NIODeadline) -> PlaceDecision {
        guard case .quic(let index) = way else { return .taken(nil) }
        switch windows[index].request(at: now) {
        case .go(let place):
            return .taken(place)
        case .wait(let until):
            waitingForPlace.insert(waker)
            return .wait(until: until)
        }
    }

    mutating func returnPlace(_ place: HandshakeWindow.Place?, _ way: UplinkWay, wakes: Bool = true) {
        guard let place, case .quic(let index) = way else { return }
        windows[index].ended(place)
        if wakes { wakeForPlace() }
    }

    mutating func widenWindow(_ permit: DialPermit, at now: NIODeadline) {
        guard let place = permit.place, case .quic(let index) = permit.way else { return }
        windows[index].succeeded(place, at: now)
        wakeForPlace()
    }

    /// The server is there and refuses connections for now, which is no failure of the endpoint. Fewer handshakes go to
    /// it at once from now on, and this connection is tried again.
    ///
    /// - Returns: `nil` if the endpoint has done nothing but refuse for as long as a handshake may take, and there is
    ///   another way: then the refusal counts as a failure. Also `nil` if the way was left since, because its server
    ///   shuts down. Otherwise what to log, at most once per minute.
    mutating func retryAfterRefusal(
        _ permit: DialPermit, _ end: UplinkConnectionEnd, at now: NIODeadline
    ) -> FailureNews? {
        guard let place = permit.place, case .quic(let index) = permit.way else { return nil }
        windows[index].refused(place, at: now, jitter: jitter())
        wakeForPlace()
        let window = windows[index]
        let patience = TimeAmount(configuration.handshakeTimeout)
        let isPersistent = window.refusedSince.map { $0 + patience <= now } ?? false
        guard !(isPersistent && choice.hasAlternatives), !choice.leftWays.contains(permit.way) else { return nil }
        with(permit.purpose) { backoff in
            backoff.note(end.why, on: permit.way)
            backoff.gate.pathAnswered(at: now)
        }
        let isNews = refusalReportedAt.map { $0 + Self.refusalReportInterval <= now } ?? true
        guard isNews else { return FailureNews.none }
        refusalReportedAt = now
        return .refused(atOnce: Int(window.limit))
    }

    private static let refusalReportInterval = TimeAmount.seconds(60)

    private mutating func wakeForPlace() {
        woken.some.formUnion(waitingForPlace)
        waitingForPlace = []
    }
}
