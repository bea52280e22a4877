import NIOCore
import QUICTransport

extension ProbeRun {
    /// A connection whose handshake has completed.
    struct Connected {
        let link: ProbeLink
        let handle: QUICConnectionHandle
        let address: SocketAddress
    }

    /// The host did not get its addresses in time.
    private struct Unresolved: Error {}

    func resolve() async throws(ProbeFailure) -> [SocketAddress] {
        let began = NIODeadline.now()
        let promise = eventLoop.makePromise(of: [SocketAddress].self)
        HostResolver().resolve(host: options.host, port: options.port, on: eventLoop).cascade(to: promise)
        // A second outcome is ignored.
        Timer.once(in: patience, on: eventLoop) { promise.fail(Unresolved()) }
        let all: [SocketAddress]
        do {
            all = try await promise.futureResult.get()
        } catch is Unresolved {
            throw ProbeFailure(
                .name,
                "the host name \(options.host) was not resolved within \(Words.milliseconds(options.timeout.milliseconds)): "
                    + "does the DNS of this machine answer?")
        } catch {
            throw ProbeFailure(.name, "\(error)")
        }
        report.addresses = all.map { $0.ipAddress ?? $0.hostAndPort }
        let usable = all.filter { options.addressFamily == nil || options.addressFamily == QUICAddressFamily($0) }
        guard !usable.isEmpty else {
            throw ProbeFailure(
                .name, "the host \(options.host) has only addresses of the other family: leave out -4 or -6")
        }
        end(.resolve(report.addresses, milliseconds: Duration(NIODeadline.now() - began).milliseconds))
        return Array(usable.prefix(Self.maximumAddresses))
    }

    /// Tries the addresses in turn, until a handshake completes.
    func connect(to addresses: [SocketAddress]) async throws(ProbeFailure) -> Connected {
        var attempts: [HandshakeFinding.Attempt] = []
        var worst: (failure: ProbeFailure, certificates: [QUICCertificate])?
        for address in addresses {
            let outcome = await shakeHands(with: address)
            switch outcome {
            case .success(let connected):
                noteHandshake(connected, attempts)
                return connected
            case .failure(let failure):
                attempts.append(.init(address: address.hostAndPort, problem: failure.failure.reason))
                if worst.map({ $0.failure.progress < failure.failure.progress }) ?? true {
                    worst = (failure.failure, failure.certificates)
                }
            }
        }
        let failure = worst?.failure ?? ProbeFailure(.name, "the host \(options.host) has no address")
        noteFailure(failure, worst?.certificates ?? [], attempts)
        throw failure
    }

    /// Why there is no connection, and the certificates that the broker had shown.
    struct HandshakeFailure: Error {
        var failure: ProbeFailure
        var certificates: [QUICCertificate] = []
    }

    /// - Parameter resumption: A ticket. Early data is offered if it allows that, but none is sent.
    func shakeHands(
        with address: SocketAddress, resumption: QUICResumption? = nil
    ) async -> Result<Connected, HandshakeFailure> {
        guard !isAbandoned else { return .failure(HandshakeFailure(failure: ProbeFailure(.internal, "abandoned"))) }
        do {
            let link = try ProbeLink(QUICAddressFamily(address) ?? .ipv4, on: eventLoop)
            keep(link)
            try link.start(to: address, serverName: serverName, configuration, tls, resumption: resumption)
            // The handshake itself has the shorter limit, and says more about why it failed.
            let alpn = await wait(on: link, patience + .seconds(2)) { $0.alpn }
            if alpn != nil, let handle = link.handle {
                return .success(Connected(link: link, handle: handle, address: address))
            }
            let error = link.end ?? .noAnswer(remote: address.hostAndPort, after: options.timeout)
            let failure = await explained(error, address)
            return .failure(HandshakeFailure(failure: failure, certificates: link.lastCertificates))
        } catch let error as QUICError {
            return .failure(HandshakeFailure(failure: ProbeFailure(error)))
        } catch {
            return .failure(HandshakeFailure(failure: ProbeFailure(.internal, "\(error)")))
        }
    }

    /// Tells a port where nothing listens from one whose datagrams are swallowed.
    private func explained(_ error: QUICError, _ address: SocketAddress) async -> ProbeFailure {
        guard case .noAnswer = error,
            (try? await ClosedPort.isClosed(address, within: Self.rejectionPatience, on: eventLoop).get()) == true
        else { return ProbeFailure(error) }
        return ProbeFailure(
            .unreachable,
            "nothing listens at UDP port \(address.port ?? 0) of \(address.ipAddress ?? ""), says the host (ICMP port "
                + "unreachable): is the port right, and does the broker have its QUIC listener on?")
    }

    /// How long a host may take to reject a datagram.
    private static let rejectionPatience = TimeAmount.seconds(1)

    private func noteHandshake(_ connected: Connected, _ attempts: [HandshakeFinding.Attempt]) {
        let (link, handle) = (connected.link, connected.handle)
        let tls = handle.tlsInfo
        let finding = HandshakeFinding(
            address: connected.address.hostAndPort,
            milliseconds: Duration(NIODeadline.now() - link.startedAt).milliseconds,
            roundTripMilliseconds: handle.statistics.smoothedRTT.milliseconds, tlsVersion: tls?.version ?? "",
            cipher: tls?.cipher ?? "", group: tls?.group ?? "", alpn: link.alpn ?? "", alpnOffered: options.alpn,
            failedAttempts: attempts)
        report.handshake = finding
        end(.handshake(finding))
        let chain = ChainFinding(tls?.peerCertificates ?? [], problem: nil, now: now)
        report.chain = chain
        end(.certificate(chain, target: report.target))
        guard let parameters = handle.peerParameters.map({ ParametersFinding($0) }) else { return }
        report.parameters = parameters
        end(.parameters(parameters))
    }

    private func noteFailure(
        _ failure: ProbeFailure, _ certificates: [QUICCertificate], _ attempts: [HandshakeFinding.Attempt]
    ) {
        let others = attempts.filter { $0.problem != failure.reason }.map { "\($0.address): \($0.problem)" }
        guard failure.kind == .certificate else {
            return end(ProbeStep(.handshake, .failed, failure.reason, details: others))
        }
        end(ProbeStep(.handshake, .failed, "broken off, because of the certificate", details: others))
        let chain = ChainFinding(certificates, problem: failure.reason, now: now)
        report.chain = chain
        end(.certificate(chain, target: report.target))
    }
}
