import BridgeCore
import MQTTCodec
import NIOCore
import QUICTransport

extension ProbeRun {
    /// A connection with or without an MQTT session.
    struct Session {
        let connected: Connected
        /// The stream of the session; `nil` if the broker did not accept it.
        var stream: QUICStreamID?
        var version = MQTTVersion.v5_0
        /// Whether the connection is worth going on with.
        var isOpen = false
    }

    /// In seconds. Longer than the whole probe, so that there is nothing to keep alive.
    private static let keepAlive: UInt16 = 300

    /// Sends CONNECT, in MQTT 3.1.1 if the broker does not speak 5.0.
    func openSession(on connected: Connected) async -> Session {
        let clientID = options.identity.clientID ?? ClientIDMaker.make()
        var (session, finding) = await openSession(on: connected, .v5_0, clientID)
        if finding.isVersionRefused, case .success(let again) = await shakeHands(with: connected.address) {
            (session, finding) = await openSession(on: again, .v3_1_1, clientID)
        }
        report.session = finding
        end(.connect(finding))
        if let failure = finding.failure { fail(failure) }
        return session
    }

    /// A connection without CONNECT, for the steps that need no session.
    func openAnother(like session: Session) async -> Session? {
        guard case .success(let connected) = await shakeHands(with: session.connected.address) else { return nil }
        return Session(connected: connected, isOpen: true)
    }

    private func openSession(
        on connected: Connected, _ version: MQTTVersion, _ clientID: String
    ) async -> (Session, SessionFinding) {
        let began = NIODeadline.now()
        var session = Session(connected: connected, version: version)
        var finding = SessionFinding(
            version: version == .v5_0 ? "5.0" : "3.1.1", clientID: clientID,
            isClientIDGiven: options.identity.clientID != nil, isUsernameGiven: options.identity.username != nil)
        do {
            let bytes = try connectPacket(version, clientID).encode()
            guard let stream = try connected.link.open(bytes, ProbeStream(version)) else {
                finding.problem = "the broker allows no stream, so no MQTT is possible"
                return (session, finding)
            }
            let answer = await wait(on: connected.link) { $0.takePacket(stream) }
            finding.milliseconds = Duration(NIODeadline.now() - began).milliseconds
            if case .packet(.connack(let connack))? = answer {
                finding.note(connack)
            } else {
                finding.problem = problem(with: answer, on: connected.link, instead: "CONNACK")
            }
            if finding.isAccepted { (session.stream, session.isOpen) = (stream, true) }
        } catch {
            finding.problem = "\(error)"
        }
        return (session, finding)
    }

    private func connectPacket(_ version: MQTTVersion, _ clientID: String) -> Connect {
        Connect(
            version: version, cleanStart: true, keepAlive: Self.keepAlive, clientID: clientID,
            username: options.identity.username, password: options.identity.password.map { ByteBuffer(bytes: $0) })
    }

    /// Says what came instead of a packet.
    func problem(with element: ProbeStream.Element?, on link: ProbeLink, instead wanted: String) -> String {
        switch element {
        case .packet(.disconnect(let disconnect)):
            "instead of \(wanted) came DISCONNECT \(ReasonCode(rawValue: disconnect.reasonCode).inWords)"
        case .packet: "another packet came instead of \(wanted)"
        case .malformed(let error): "what came instead of \(wanted) is not MQTT: \(error)"
        case .reset(let code): "the broker reset the stream instead of sending \(wanted), with code \(code)"
        case .finished: "the broker ended the stream instead of sending \(wanted)"
        case nil:
            link.end.map { "the connection ended instead of \(wanted): \($0)" }
                ?? "no \(wanted) within \(Words.milliseconds(options.timeout.milliseconds))"
        }
    }

    /// Ends the session in order: DISCONNECT with FIN, and the broker's FIN.
    func close(_ session: Session) async {
        let (link, handle) = (session.connected.link, session.connected.handle)
        if let stream = session.stream, link.end == nil,
            let bytes = try? Disconnect().encode(version: session.version)
        {
            handle.write(stream, bytes, fin: true)
            _ = await wait(on: link, min(patience, .seconds(2))) { link -> Bool? in
                while let element = link.takePacket(stream) {
                    guard case .packet = element else { return true }
                }
                return nil
            }
        }
        handle.close()
    }
}
