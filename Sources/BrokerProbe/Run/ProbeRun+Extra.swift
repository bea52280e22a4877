import BridgeCore
import MQTTCodec
import NIOCore
import QUICTransport

extension ProbeRun {
    /// How long path MTU discovery has to be quiet to be over: at least this, and more than the three probe timeouts that
    /// ngtcp2 waits for the answer to its last try with a size.
    private static let settling = TimeAmount.milliseconds(500)
    private static let settlingTimeouts = 4
    /// The most that it may take. On a path with a long round trip that swallows large datagrams, each size takes seconds.
    private static let discoveryLimit = TimeAmount.seconds(20)
    private static let pollInterval = TimeAmount.milliseconds(50)
    private static let hurryInterval = TimeAmount.milliseconds(500)
    /// How long a ticket may take after the handshake.
    private static let ticketPatience = TimeAmount.seconds(1)

    // MARK: - Datagrams

    func findDatagramSize(_ session: Session) async {
        let (link, handle) = (session.connected.link, session.connected.handle)
        guard link.end == nil else {
            return end(ProbeStep(.datagrams, .skipped, "the connection has ended"))
        }
        let limit = min(
            configuration.maximumDatagramSize, Int(clamping: report.parameters?.maxUDPPayloadSize ?? .max))
        let began = NIODeadline.now()
        var (probes, since) = (handle.statistics.sizeProbesSent, began)
        var isOver = false
        while link.end == nil, !isOver, NIODeadline.now() < began + Self.discoveryLimit {
            _ = await wait(on: link, Self.pollInterval) { _ in nil as Bool? }
            let present = handle.statistics
            if present.sizeProbesSent != probes { (probes, since) = (present.sizeProbesSent, .now()) }
            let quiet = max(Self.settling, TimeAmount(handle.probeTimeout * Self.settlingTimeouts))
            isOver = present.datagramSize >= limit || NIODeadline.now() - since > quiet
        }
        let finding = DatagramFinding(bytes: handle.statistics.datagramSize, limit: limit, isFinal: isOver)
        report.datagrams = finding
        end(.datagrams(finding, milliseconds: Duration(NIODeadline.now() - began).milliseconds))
    }

    // MARK: - A change of address

    func rebind(_ session: Session) async {
        let (link, handle) = (session.connected.link, session.connected.handle)
        guard !isAbandoned, link.end == nil, handle.isHandshakeConfirmed else {
            return end(ProbeStep(.rebind, .skipped, "there is no connection to try it on"))
        }
        var finding = RebindFinding(proof: session.stream == nil ? .quicPing : .pingreq)
        finding.fromPort = link.endpoint.localPort
        link.endpoint.rebind()
        let began = NIODeadline.now()
        let problem: String?
        if let stream = session.stream {
            problem = await ping(session, stream)
        } else {
            problem = await ping(handle, on: link, since: began)
        }
        finding.toPort = link.endpoint.localPort
        finding.problem = problem
        if problem == nil { finding.milliseconds = Duration(NIODeadline.now() - began).milliseconds }
        report.rebind = finding
        end(.rebind(finding))
    }

    /// - Returns: What went wrong; `nil` if PINGRESP came.
    private func ping(_ session: Session, _ stream: QUICStreamID) async -> String? {
        let link = session.connected.link
        guard let bytes = try? Packet.pingreq.encode(version: session.version) else { return "not encodable" }
        session.connected.handle.write(stream, bytes)
        let latest = NIODeadline.now() + patience
        var answer: ProbeStream.Element?
        // A lost datagram must not look like a lost path, so QUIC's own PINGs follow, as those of the bridge do.
        repeat {
            answer = await wait(on: link, Self.hurryInterval) { $0.takePacket(stream) }
            if answer == nil { session.connected.handle.hurry() }
        } while answer == nil && link.end == nil && NIODeadline.now() < latest
        return answer == .packet(.pingresp) ? nil : problem(with: answer, on: link, instead: "PINGRESP")
    }

    /// The same without a session, where only QUIC itself answers.
    private func ping(_ handle: QUICConnectionHandle, on link: ProbeLink, since: NIODeadline) async -> String? {
        let latest = since + patience
        handle.isSilent = true
        defer { handle.isSilent = false }
        repeat {
            handle.hurry()
            if await wait(on: link, Self.hurryInterval, for: { _ in handle.lastReceived > since ? true : nil }) != nil {
                return nil
            }
        } while link.end == nil && NIODeadline.now() < latest
        return link.end.map { "\($0)" } ?? "no answer within \(Words.milliseconds(options.timeout.milliseconds))"
    }

    // MARK: - Streams

    /// Whether further streams belong to the session, by an UNSUBSCRIBE of something that was never subscribed to: it
    /// changes nothing, and no broker checks a permission for it.
    func examineStreams(_ session: Session) async {
        let (link, handle) = (session.connected.link, session.connected.handle)
        let allowed = Int(clamping: report.parameters?.initialMaxStreamsBidi ?? 0)
        var finding = StreamsFinding(use: .unknown, allowed: allowed)
        defer {
            report.streams = finding
            end(.streams(finding))
        }
        guard link.alpn != Self.muxProtocol else {
            finding.use = .mux
            return
        }
        guard allowed > 1 else {
            finding.use = .single
            return
        }
        guard !options.isGentle, session.stream != nil, link.end == nil else { return }
        guard handle.availableStreams > 0 else {
            finding.use = .single
            return
        }
        let packet = Unsubscribe(packetID: 1, filters: ["\(ClientIDMaker.make())/none"])
        guard let bytes = try? packet.encode(version: session.version),
            let stream = try? link.open(bytes, ProbeStream(session.version))
        else { return }
        let answer = await wait(on: link, min(patience, .seconds(2))) { $0.takePacket(stream) }
        if case .packet(.unsuback)? = answer {
            (finding.use, finding.second) = (.dataStreams, "UNSUBSCRIBE was answered there")
        } else {
            finding.use = .single
            finding.second = problem(with: answer, on: link, instead: "UNSUBACK")
        }
    }

    private static let muxProtocol = "mqtt-mux"

    // MARK: - Tickets

    /// A second connection with the first one's ticket. It offers early data but sends none, because whoever records
    /// early data can send it again: the answer alone shows whether the broker would take it.
    func examineTickets(after first: Connected) async {
        let ticket = await wait(on: first.link, Self.ticketPatience) { $0.ticket } ?? first.link.ticket
        var finding = TicketFinding(hasTicket: ticket != nil)
        if let ticket {
            finding.lifetime = ticket.expiresAt - ticket.receivedAt
            finding.allowsEarlyData = ticket.allowsEarlyData
            if !options.isGentle { await resume(ticket, at: first.address, &finding) }
        }
        report.tickets = finding
        end(.tickets(finding, isTried: !options.isGentle))
    }

    private func resume(_ ticket: QUICResumption, at address: SocketAddress, _ finding: inout TicketFinding) async {
        switch await shakeHands(with: address, resumption: ticket) {
        case .success(let connected):
            finding.milliseconds = Duration(NIODeadline.now() - connected.link.startedAt).milliseconds
            finding.isResumed = connected.handle.isResumed
            finding.isEarlyDataAccepted = connected.handle.isEarlyDataAccepted
            connected.handle.close()
        case .failure(let failure):
            finding.problem = failure.failure.reason
        }
    }

    // MARK: - Many at once

    func makeBurst(to address: SocketAddress) async {
        guard !isAbandoned else { return }
        let count = min(options.connections, ProbeOptions.maximumConnections)
        guard count > 0, !options.isGentle else { return end(ProbeStep(.burst, .skipped, "not asked for")) }
        do {
            let burst = try ConnectionBurst(count, QUICAddressFamily(address) ?? .ipv4, on: eventLoop)
            keep(burst)
            let finding = try await burst.run(to: address, serverName: serverName, configuration, tls).get()
            try await burst.close().get()
            keep(nil)
            report.burst = finding
            end(.burst(finding))
        } catch {
            end(ProbeStep(.burst, .warning, "not possible: \(error)"))
        }
    }
}
