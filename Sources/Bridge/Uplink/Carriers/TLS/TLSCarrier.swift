import BridgeCore
import NIOCore
import QUICTransport
import TLSTransport

/// Carries one device's MQTT over TLS over TCP: its leg has the ``TLSConnection`` to itself.
///
/// Confined to its event loop.
final class TLSCarrier {
    let id: UplinkConnectionID
    let connection: TLSConnection
    private weak var observer: (any UplinkCarrierObserver)?
    private(set) var leg: UplinkLeg?

    init(_ id: UplinkConnectionID, _ connection: TLSConnection, observer: any UplinkCarrierObserver) {
        self.id = id
        self.connection = connection
        self.observer = observer
        connection.observer = self
    }

    /// The stream identifier that the leg is given.
    private static let stream = QUICStreamID(rawValue: 0)
}

extension TLSCarrier: TLSConnectionObserver {
    func tlsReady(_ connection: TLSConnection) {
        observer?.carrierReady(
            self,
            UplinkReadiness(isShared: false, alpn: UplinkConfiguration.Mapping.singleStreamProtocol, idleTimeout: .zero)
        )
    }

    func tlsFailed(_ connection: TLSConnection, _ failure: TLSFailure) {
        observer?.carrierFailed(
            self, UplinkConnectionEnd(why: "\(failure)", failure: UplinkWay.Failure(failure.kind)))
    }

    func tls(_ connection: TLSConnection, received bytes: ByteBuffer) {
        // Bytes that come before a leg has the connection, or after it has left, are nobody's.
        guard let leg else { return connection.consumed(bytes.readableBytes) }
        leg.received(bytes, isEnd: false)
    }

    func tlsDrained(_ connection: TLSConnection) { leg?.drained() }

    func tlsEnded(_ connection: TLSConnection) {
        let leg = takeLeg()
        observer?.carrierEnded(self)
        leg?.received(ByteBuffer(), isEnd: true)
    }

    func tlsLost(_ connection: TLSConnection, cause: (any Error)?) {
        let leg = takeLeg()
        let loss = UplinkLoss.network(description: connection.words.loss(cause))
        observer?.carrierLost(self, UplinkConnectionEnd(why: "\(loss)", failure: .network), wasSilent: false)
        leg?.lost(loss)
    }

    private func takeLeg() -> UplinkLeg? {
        defer { leg = nil }
        return leg
    }
}

extension TLSCarrier: UplinkCarrier {
    var limits: GatewayLimits? { nil }

    /// TCP itself notices when nothing is acknowledged, and there are no streams to run out of. Whether the broker is silent
    /// is not known here: a connection that is given no second device anyway is never held back for it.
    var facts: UplinkConnectionFacts {
        UplinkConnectionFacts(availableStreams: isFree ? 1 : 0, isSilent: false)
    }

    private var isFree: Bool { connection.isReady && leg == nil }

    var endpointOverQUIC: UplinkEndpoint? { nil }

    var lastReceived: NIODeadline { connection.lastReceived }

    var isReady: Bool { connection.isReady }

    var report: UplinkCarrierReport? {
        guard let addresses = connection.addresses else { return nil }
        return UplinkCarrierReport(
            transport: "tls", mapping: UplinkConfiguration.Mapping.connection.rawValue, remote: addresses.remote,
            local: addresses.local)
    }

    func openStream(for leg: UplinkLeg) -> Bool {
        guard isFree else { return false }
        self.leg = leg
        leg.opened(on: self, Self.stream)
        return true
    }

    func close() {
        leg = nil
        connection.close()
    }

    func retire() { close() }

    func hurry() {}

    func doubt(at now: NIODeadline) {}
    func giveUp() {}

    func bufferedBytes(_ stream: QUICStreamID) -> Int { connection.backlog }

    /// What is in flight is not known.
    func backlog(_ stream: QUICStreamID, inFlight: Int) -> Int { connection.backlog }

    func write(_ stream: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool) { connection.write(bytes, fin: fin) }

    func consumed(_ stream: QUICStreamID, _ bytes: Int) { connection.consumed(bytes) }

    func left(_ stream: QUICStreamID, unconsumed: Int, isFinished: Bool, wasUnheard: Bool) {
        leg = nil
        connection.leave()
    }
}
