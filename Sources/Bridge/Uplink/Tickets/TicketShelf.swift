import BridgeCore
import DequeModule
import QUICTransport

/// Session tickets by the place that gave them out, the newest first.
struct TicketShelf: Sendable {
    /// Of one upstream: who makes many connections gets as many tickets.
    static let ticketsPerEndpoint = 8
    static let endpoints = 64

    private var tickets: [UplinkEndpoint: Deque<QUICResumption>] = [:]

    /// The newest, which is gone from here then: no two connections show one ticket (RFC 8446 C.4).
    ///
    /// - Parameter now: seconds since 1970.
    mutating func take(for endpoint: UplinkEndpoint, now: Int64) -> QUICResumption? {
        while let ticket = tickets[endpoint]?.popFirst() {
            if !ticket.isExpired(at: now) { return ticket }
        }
        return nil
    }

    mutating func put(_ ticket: QUICResumption, for endpoint: UplinkEndpoint) {
        guard tickets[endpoint] != nil || tickets.count < Self.endpoints else { return }
        tickets[endpoint, default: []].prepend(ticket)
        if tickets[endpoint, default: []].count > Self.ticketsPerEndpoint { tickets[endpoint]?.removeLast() }
    }

    var all: [UplinkEndpoint: [QUICResumption]] { tickets.mapValues { Array($0) } }
}
