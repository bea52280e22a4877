import DequeModule

/// Session tickets by the server that issued them, the newest first.
struct TicketShelf: Sendable {
    /// The limit on tickets per server, because a server issues a ticket for every connection.
    static let ticketsPerServer = 8
    /// The limit on servers.
    static let servers = 64

    private var tickets: [TicketServer: Deque<QUICResumption>] = [:]

    /// Takes the newest ticket: no two connections show the same one (RFC 8446 C.4).
    ///
    /// - Parameter now: Seconds since 1970.
    mutating func take(for server: TicketServer, now: Int64) -> QUICResumption? {
        while let ticket = tickets[server]?.popFirst() {
            if !ticket.isExpired(at: now) { return ticket }
        }
        return nil
    }

    mutating func put(_ ticket: QUICResumption, for server: TicketServer) {
        guard tickets[server] != nil || tickets.count < Self.servers else { return }
        tickets[server, default: []].prepend(ticket)
        if tickets[server, default: []].count > Self.ticketsPerServer { tickets[server]?.removeLast() }
    }

    var all: [TicketServer: [QUICResumption]] { tickets.mapValues { Array($0) } }
}
