import BridgeCore
import DequeModule
import QUICTransport

/// Session tickets by the endpoint that issued them, the newest first.
struct TicketShelf: Sendable {
    /// The limit on tickets per endpoint, because an endpoint issues a ticket for every connection.
    static let ticketsPerEndpoint = 8
    static let endpoints = 64

    private var tickets: [UplinkEndpoint: Deque<QUICResumption>] = [:]

    /// Takes the newest ticket: no two connections show the same one (RFC 8446 C.4).
    ///
    /// - Parameter now: Seconds since 1970.
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
