import BridgeCore
import Logging
import NIOCore
import QUICTransport

/// The attempt to make one carrier's connection: a ``QUICDial`` with the dialer's sockets, the tickets of the carrier's
/// endpoint, and perhaps a device's CONNECT as early data.
final class QUICAttempt {
    let connection: QUICCarrier
    private unowned let dialer: QUICDialer
    /// The leg that may send early data, until the first address is tried.
    private var early: UplinkLeg?
    private let deadline: NIODeadline
    private lazy var dial = QUICDial(owner: self, until: deadline, on: dialer.eventLoop)

    init(_ connection: QUICCarrier, dialer: QUICDialer, until deadline: NIODeadline, early: UplinkLeg?) {
        self.connection = connection
        self.dialer = dialer
        self.deadline = deadline
        self.early = early
    }

    var isOver: Bool { dial.isOver }
    var isAwaitingAddresses: Bool { dial.isAwaitingAddresses }

    func awaitsAddresses(of host: String) {
        dial.awaitsAddresses(of: host)
    }

    func begin(with addresses: [SocketAddress]) {
        dial.begin(with: addresses, preferring: dialer.lastGoodFamily)
    }

    /// There are no addresses to try.
    func fail(_ why: String) {
        dial.fail(why)
    }

    /// The connection is no longer wanted.
    func abandon() {
        early = nil
        dial.abandon()
    }

    /// See ``QUICDial/hurry()``.
    func hurry() {
        dial.hurry()
    }
}

extension QUICAttempt: QUICDialOwner {
    func dial(
        _ dial: QUICDial, connectTo address: SocketAddress, ticket: QUICResumption?, isEarly: Bool
    ) throws -> QUICConnectionHandle {
        try dialer.connect(connection, by: dial, to: address, ticket: ticket, earlyData: isEarly)
    }

    func takeTicket() -> QUICResumption? {
        connection.settings.tickets.take(for: connection.endpoint)
    }

    func putBack(_ ticket: QUICResumption) {
        connection.settings.tickets.put(ticket, for: connection.endpoint)
    }

    var hasEarlyData: Bool { early?.isWaiting == true }

    func sendEarlyData(on handle: QUICConnectionHandle) throws -> Bool {
        guard let leg = early else { return false }
        early = nil
        return try connection.startEarly(leg, on: handle)
    }

    func earlyDataLost(on handle: QUICConnectionHandle, isRejected: Bool) {
        if isRejected { dialer.earlyData.rejected += 1 }
        connection.earlyDataLost(on: handle)
    }

    func dialSucceeded(_ winner: QUICDial.Winner) {
        early = nil
        dialer.logger.debug(
            "connected to the broker",
            metadata: [
                "address": "\(winner.address.hostAndPort)", "alpn": "\(winner.alpn)",
                "resumed": "\(winner.handle.isResumed)", "early_data": "\(winner.handle.isEarlyDataAccepted)",
                "took": "\(Duration(NIODeadline.now() - winner.startedAt))", "leg": "uplink",
            ])
        if winner.isEarly, winner.handle.isEarlyDataAccepted { dialer.earlyData.accepted += 1 }
        dialer.verified(winner.handle)
        dialer.succeeded(self, at: winner.address)
        winner.handle.observer = connection
        connection.established(on: winner.handle, alpn: winner.alpn)
    }

    func dialFailed(_ failure: QUICDial.Failure) {
        early = nil
        dialer.ended(self)
        connection.failed(
            failure.why, failure.cause.map { UplinkWay.Failure($0) } ?? UplinkWay.Failure(failure.kind))
    }
}
