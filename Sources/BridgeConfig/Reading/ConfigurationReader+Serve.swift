import BridgeCore

extension ConfigurationReader {
    /// Reads the sections `serve`, `admin` and `log`, `threads` and `gather_delay`; other keys are not read. Throws every
    /// error, including those that were found earlier.
    func serveConfiguration() throws(ConfigurationErrors) -> ServeConfiguration {
        var serve = ServeConfiguration(
            certificateFile: serveCertificate(), keyFile: serveKey(), brokerHost: serveBrokerHost())
        serve.listen = serveListeners() ?? serve.listen
        serve.clientCAFile = serveClientCA()
        serve.ticketKeyFile = serveTicketKeyFile()
        readServeBehaviour(into: &serve)
        readServeLimits(into: &serve.limits)
        serve.log = log()
        serve.admin = admin(unlessGiven: nil)
        serve.threads = threads()
        serve.gatherDelay = gatherDelay()
        try diagnostics.throwIfAny()
        warn(of: serve)
        return serve
    }

    private func readServeBehaviour(into serve: inout ServeConfiguration) {
        serve.brokerPort = integer(.serveBrokerPort, in: 1...65_535, "a TCP port") ?? serve.brokerPort
        serve.brokerConnectTimeout =
            duration(.serveBrokerConnectTimeout, in: .seconds(1)...(.seconds(60))) ?? serve.brokerConnectTimeout
        serve.sendsProxyHeader = boolean(.serveProxyProtocol) ?? serve.sendsProxyHeader
        serve.retry = choice(.serveRetry) ?? serve.retry
        serve.retryAbove =
            integer(.serveRetryAbove, in: 1...1_000_000, "a number of connections per second") ?? serve.retryAbove
        serve.acceptsEarlyData = boolean(.serveEarlyData) ?? serve.acceptsEarlyData
        serve.serverID = serverID() ?? serve.serverID
        serve.idleTimeout = duration(.serveIdleTimeout, in: .seconds(5)...(.seconds(3_600))) ?? serve.idleTimeout
        serve.congestionControl = choice(.serveCongestionControl) ?? serve.congestionControl
        serve.sendTwice = choice(.serveSendTwice) ?? serve.sendTwice
    }

    private func readServeLimits(into limits: inout ServeConfiguration.Limits) {
        let defaultPerAddress = limits.connectionsPerAddress
        limits.connections =
            integer(.serveConnections, in: 1...1_000_000, "a number of connections") ?? limits.connections
        limits.connectionsPerAddress =
            integer(.serveConnectionsPerAddress, in: 1...1_000_000, "a number of connections")
            ?? min(defaultPerAddress, limits.connections)
        limits.streamsPerConnection =
            integer(.serveStreamsPerConnection, in: 1...100_000, "a number of streams") ?? limits.streamsPerConnection
        limits.handshakesPerSecond =
            integer(.serveHandshakesPerSecond, in: 1...1_000_000, "a number of connections per second")
            ?? limits.handshakesPerSecond
        limits.connectWithin =
            duration(.serveConnectWithin, in: .milliseconds(100)...(.seconds(300))) ?? limits.connectWithin
        limits.streamBuffer = size(.serveStreamBuffer, in: 16_384...1_073_741_824) ?? limits.streamBuffer
        limits.shutdownTimeout = duration(.serveShutdownTimeout, in: .zero...(.seconds(300))) ?? limits.shutdownTimeout
        limits.drainTimeout = duration(.serveDrainTimeout, in: .zero...(.seconds(86_400))) ?? limits.drainTimeout
    }

    private func serverID() -> [UInt8]? {
        guard let setting = settings.scalars[.serveServerID] else { return nil }
        guard let bytes = ServerIDValue.parse(setting.text) else {
            let (least, most) = (ServerIDValue.lengths.lowerBound, ServerIDValue.lengths.upperBound)
            let rule = "write \(least) to \(most) bytes as two hexadecimal digits each, such as \"01\" or \"0a1f\""
            error(.serveServerID, "\(values.quoted(setting.text)) is not a server ID; \(rule)")
            return nil
        }
        return bytes
    }

    private func serveBrokerHost() -> String {
        guard settings.scalars[.serveBrokerHost] != nil else {
            missing(.serveBrokerHost, "the host name or address of the broker that speaks TCP, such as 127.0.0.1")
            return ""
        }
        return host(.serveBrokerHost) ?? ""
    }

    // MARK: - Files

    private func serveCertificate() -> String {
        guard settings.scalars[.serveCertificate] != nil else {
            let file = settings.sections["serve"] == nil ? "; there is no section \"serve:\" here" : ""
            missing(.serveCertificate, "the PEM file of the certificate that clients are shown, and its chain\(file)")
            return ""
        }
        return certificates(.serveCertificate) ?? ""
    }

    private func serveKey() -> String {
        guard settings.scalars[.serveKey] != nil else {
            missing(.serveKey, "the PEM file of the private key of serve.certificate")
            return ""
        }
        return privateKey(.serveKey) ?? ""
    }

    private func serveClientCA() -> String? {
        certificates(.serveClientCA)
    }

    /// The file need not exist: `serve` makes it.
    private func serveTicketKeyFile() -> String? {
        guard let path = path(.serveTicketKeyFile) else { return nil }
        do {
            if try FileText.read(path).isReadableByOthers {
                let effect = "anyone who has it can read what returning clients send first"
                warning(.serveTicketKeyFile, "\(path) can be read by other users, and \(effect); chmod 600 it")
            }
        } catch {
            guard error.isMissing else {
                self.error(.serveTicketKeyFile, "\(path): \(error.message)")
                return path
            }
            let folder = PathResolver.folder(of: path)
            if let problem = FolderAccess.problemWithWriting(into: folder.isEmpty ? "." : folder) {
                self.error(.serveTicketKeyFile, "\(folder.isEmpty ? "." : folder): \(problem)")
            }
        }
        return path
    }

    // MARK: - Warnings

    private func warn(of serve: ServeConfiguration) {
        if serve.retry != .auto, settings.origin(of: .serveRetryAbove) != nil {
            warning(.serveRetryAbove, "has no effect with serve.retry \(serve.retry.rawValue)")
        } else if settings.origin(of: .serveRetryAbove) != nil, serve.retryAbove >= serve.limits.handshakesPerSecond {
            let limit = "serve.handshakes_per_second (\(serve.limits.handshakesPerSecond))"
            warning(.serveRetryAbove, "has no effect, as \(limit) refuses connections before it is reached")
        }
        // Clients that follow the OASIS note send a PING every 30 s.
        if serve.idleTimeout <= .seconds(30) {
            warning(
                .serveIdleTimeout,
                "clients may be silent for 30s, but lose their connection after "
                    + DurationValue.render(serve.idleTimeout))
        }
    }
}
