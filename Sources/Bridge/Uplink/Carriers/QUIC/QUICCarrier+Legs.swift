import BridgeCore
import NIOCore
import QUICTransport

// Calls of legs and of the driver.
extension QUICCarrier: UplinkCarrier {
    var facts: UplinkConnectionFacts {
        UplinkConnectionFacts(availableStreams: isReady ? openHandle?.availableStreams ?? 0 : 0, isSilent: isSilent)
    }

    var endpointOverQUIC: UplinkEndpoint? { endpoint }

    var lastReceived: NIODeadline { openHandle?.lastReceived ?? .distantPast }

    var report: UplinkCarrierReport? {
        guard let handle = openHandle else { return nil }
        let mapping: UplinkConfiguration.Mapping =
            control != nil ? .dataStream : alpn == UplinkConfiguration.Mapping.muxProtocol ? .mux : .connection
        return UplinkCarrierReport(
            transport: "quic", mapping: mapping.rawValue, remote: handle.remoteAddress, local: handle.localAddress,
            statistics: handle.statistics, pathChanges: pathChanges, isSilent: isSilent, isResumed: handle.isResumed)
    }

    func openStream(for leg: UplinkLeg) throws(QUICError) -> Bool {
        guard case .open(let handle) = state, let stream = try handle.openStream() else { return false }
        legs[stream] = leg
        leg.opened(on: self, stream)
        return true
    }

    func bufferedBytes(_ stream: QUICStreamID) -> Int {
        if let early, early.leg === legs[stream] { return early.flight.bufferedBytes }
        return openHandle?.bufferedBytes(stream) ?? 0
    }

    func backlog(_ stream: QUICStreamID, inFlight: Int) -> Int {
        if let early, early.leg === legs[stream] { return early.flight.bufferedBytes }
        return openHandle?.backlog(stream, inFlight: inFlight) ?? 0
    }

    func write(_ stream: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool) {
        if let early, early.leg === legs[stream] {
            guard let first = self.early?.flight.write(bytes, fin: fin) else { return }
            early.handle?.write(stream, first)
            return
        }
        openHandle?.write(stream, bytes, fin: fin)
    }

    func consumed(_ stream: QUICStreamID, _ bytes: Int) {
        openHandle?.consumed(stream, bytes: bytes)
    }

    func left(_ stream: QUICStreamID, unconsumed: Int, isFinished: Bool, wasUnheard: Bool) {
        guard let leg = legs.removeValue(forKey: stream) else { return }
        if early?.leg === leg {
            // It is not known whether its CONNECT arrived, so the plan closes the connection unless it is shared.
            early = nil
            return
        }
        // The plan closes a connection that was for this leg alone, so the stream needs no reset.
        guard isShared, let handle = openHandle else { return }
        if wasUnheard, handle.bufferedBytes(stream) > 0 { doubtedSince = .now() }
        if !isFinished { handle.reset(stream, code: 0) }
        handle.consumed(stream, bytes: unconsumed)
    }

    func hurry() {
        switch state {
        case .dialing: dialer.hurry(self)
        case .open(let handle): handle.hurry()
        case .closed: break
        }
    }
}

// MARK: - Events of the connection

extension QUICCarrier: QUICConnectionObserver {
    func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
        switch (event, state) {
        case (.streamsAvailable, .open):
            resumeEarly(on: handle)
            if isReady { observer?.carrierHasRoom(self) } else { control?.start(on: self) }
        case (.ticketReceived(let ticket), .open):
            settings.tickets.put(ticket, for: endpoint)
        case (.streamData(let stream, let bytes, let isEnd), .open):
            if let leg = legs[stream] {
                leg.received(bytes, isEnd: isEnd)
            } else {
                handle.consumed(stream, bytes: bytes.readableBytes)
            }
        case (.streamDrained(let stream, _), .open):
            legs[stream]?.drained()
        case (.streamReset(let stream, let code), .open):
            if code == UplinkLoss.goElsewhere { observer?.carrierIsSentElsewhere(self) }
            guard let leg = legs[stream] else { break }
            // The control stream has been answered by then.
            let isDataStream = control != nil && isReady && leg.isUnanswered
            leg.lost(UplinkLoss(resetCode: code, isNewDataStream: isDataStream), withConnection: false)
        case (.stopSending(let stream, _), .open):
            stopped(stream, after: handle.probeTimeout * 3)
        case (.pathChanged, .open):
            pathChanges += 1
        case (.closed(let error), .open):
            broke(error)
        default:
            // The other events say nothing about streams.
            break
        }
    }

    /// The broker reads no more of the stream. Usually a DISCONNECT, FIN or reset comes with that and says more, so
    /// those are awaited. Without any of them the leg is useless, because nothing that the device sends arrives
    /// anywhere.
    private func stopped(_ stream: QUICStreamID, after patience: Duration) {
        guard let leg = legs[stream] else { return }
        let patience = TimeAmount(max(patience, Self.shortestWait))
        Timer.once(in: patience, on: dialer.eventLoop) { [weak self, weak leg] in
            guard let self, let leg, legs[stream] === leg, !leg.isPeerFinished else { return }
            // A DISCONNECT may be behind bytes that the device has not taken yet, if they are so many that they keep the
            // broker from sending.
            guard leg.unconsumed < settings.creditStep else { return stopped(stream, after: Duration(patience)) }
            leg.lost(.network(description: "the broker reads no more of the stream"), withConnection: false)
        }
    }

    private static let shortestWait = Duration.milliseconds(250)
}
