import BridgeCore

extension ProbeStep {
    /// A certificate that expires within this many days is worth a warning: a month is what renewal by hand may take.
    static let daysOfNotice = 30

    static func resolve(_ addresses: [String], milliseconds: Double) -> ProbeStep {
        let count = addresses.count == 1 ? "" : "\(addresses.count) addresses: "
        return ProbeStep(.resolve, .ok, milliseconds: milliseconds, count + addresses.joined(separator: ", "))
    }

    static func handshake(_ handshake: HandshakeFinding) -> ProbeStep {
        let warnings = handshake.failedAttempts.map { attempt in
            "\(attempt.address) does not work, and devices may lose time by trying it: \(attempt.problem)"
        }
        return ProbeStep(
            .handshake, .ok, milliseconds: handshake.milliseconds, handshake.address,
            details: [
                "\(handshake.tlsVersion), \(handshake.cipher), \(handshake.group)",
                "ALPN \(handshake.alpn), offered \(handshake.alpnOffered.joined(separator: ", "))",
                "round trip \(Words.milliseconds(handshake.roundTripMilliseconds))",
            ], warnings: warnings)
    }

    static func certificate(_ chain: ChainFinding, target: ProbeReport.Target) -> ProbeStep {
        let details = chain.certificates.enumerated().flatMap { index, certificate in
            ["\(index + 1)  \(certificate.subject)"] + certificate.details.map { "   \($0)" }
        }
        if let problem = chain.problem {
            let shown = chain.certificates.isEmpty ? [] : ["the broker showed:"] + details
            return ProbeStep(.certificate, .failed, problem, details: shown + advice(chain, target))
        }
        return ProbeStep(
            .certificate, .ok, "verified for \(target.serverName) by \(target.caFile)", details: details,
            warnings: chain.certificates.flatMap(warnings))
    }

    private static func warnings(_ certificate: ChainFinding.Certificate) -> [String] {
        var warnings: [String] = []
        let name = "the certificate \(certificate.subject.quotedForMessage(limit: 200))"
        if certificate.daysLeft < 0 {
            warnings.append("\(name) has expired; the broker need not send it")
        } else if certificate.daysLeft < daysOfNotice {
            warnings.append("\(name) expires within \(Words.count(certificate.daysLeft + 1, "day")): renew it")
        }
        let signature = certificate.signature.uppercased()
        let isSelfSigned = certificate.subject == certificate.issuer
        if !isSelfSigned, signature.contains("SHA1") || signature.contains("MD5") {
            warnings.append("\(name) is signed with \(certificate.signature), which can be forged: reissue it")
        }
        return warnings
    }

    /// What would make this chain acceptable, as far as that depends on how the probe was called.
    private static func advice(_ chain: ChainFinding, _ target: ProbeReport.Target) -> [String] {
        guard let own = chain.certificates.first, own.daysLeft >= 0 else { return [] }
        let names = own.names.filter { !$0.hasPrefix("*.") }
        guard let name = names.first, !names.contains(target.serverName), chain.problem?.contains("host names") == true
        else { return [] }
        return ["if this is the right broker, name it: --server-name \(name), or uplink.server_name in bridge.yaml"]
    }

    static func parameters(_ parameters: ParametersFinding) -> ProbeStep {
        let idle = parameters.idleTimeoutMilliseconds
        let migration = parameters.isActiveMigrationDisabled ? "clients must not change their address" : "allowed"
        var details = [
            "streams: \(parameters.initialMaxStreamsBidi) bidirectional, \(parameters.initialMaxStreamsUni) of one direction",
            "windows: \(parameters.initialMaxData) bytes in all, \(parameters.initialMaxStreamData) per stream",
            "idle timeout: \(idle == 0 ? "none" : Words.milliseconds(idle))",
            "largest datagram: \(parameters.maxUDPPayloadSize) bytes",
            "acknowledgements: within \(Words.milliseconds(parameters.maxAckDelayMilliseconds))",
            "connection IDs: \(parameters.activeConnectionIDLimit)", "migration: \(migration)",
        ]
        if parameters.maxDatagramFrameSize > 0 {
            details.append("DATAGRAM frames: up to \(parameters.maxDatagramFrameSize) bytes")
        }
        if parameters.hasPreferredAddress { details.append("the broker asks to be reached at another address") }
        return ProbeStep(.parameters, .ok, "transport parameters of the broker", details: details)
    }

    static func connect(_ session: SessionFinding) -> ProbeStep {
        let client = "client id \(session.clientID.quotedForMessage())"
        guard let failure = session.failure else {
            return ProbeStep(
                .connect, .ok, milliseconds: session.milliseconds,
                "CONNACK: accepted, MQTT \(session.version), \(client)",
                details: describe(session.limits))
        }
        var details = ["MQTT \(session.version), \(client)"]
        if failure.kind == .refused, session.problem == nil {
            if !session.isUsernameGiven {
                details.append("no user name was given: -u and --pw-file show one to the broker")
            } else if !session.isClientIDGiven {
                details.append(
                    "the client id was random; some brokers, such as TESAIoT's, want it to be the user name: -i sets it"
                )
            }
        }
        return ProbeStep(
            .connect, .failed, milliseconds: session.milliseconds, failure.reason, details: details)
    }

    private static func describe(_ limits: SessionFinding.Limits) -> [String] {
        var lines: [String] = []
        if let id = limits.assignedClientID { lines.append("assigned client id \(id.quotedForMessage())") }
        if let qos = limits.qosLimit { lines.append("QoS up to \(qos)") }
        if limits.isRetainAvailable == false { lines.append("no retained messages") }
        if let size = limits.maximumPacketSize { lines.append("packets up to \(size) bytes") }
        if let count = limits.receiveMaximum { lines.append("\(count) unacknowledged messages at once") }
        if let count = limits.topicAliasMaximum { lines.append("\(count) topic aliases") }
        if let seconds = limits.serverKeepAlive { lines.append("keepalive \(seconds) s") }
        if limits.isWildcardSubscriptionAvailable == false { lines.append("no wildcards in subscriptions") }
        if limits.isSharedSubscriptionAvailable == false { lines.append("no shared subscriptions") }
        return lines
    }
}
