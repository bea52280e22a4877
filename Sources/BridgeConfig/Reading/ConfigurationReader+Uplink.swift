import BridgeCore

extension ConfigurationReader {
    func uplink() -> UplinkConfiguration {
        let endpoints = endpoints()
        var uplink = UplinkConfiguration(host: "", caFile: caFile())
        uplink.endpoints = endpoints.map(\.endpoint)
        (uplink.clientCertificateFile, uplink.clientKeyFile) = clientCertificate()
        uplink.mapping = mapping()
        uplink.fallback = fallback(of: uplink.endpoints[0], uplink.mapping)
        uplink.alpn = alpn(for: uplink.mapping)
        uplink.devicesPerConnection =
            integer(.uplinkDevicesPerConnection, in: 1...100_000, "a number of devices") ?? uplink.devicesPerConnection
        uplink.reconnectsPerSecond =
            integer(.uplinkReconnectsPerSecond, in: 1...100_000, "a number of devices per second")
            ?? uplink.reconnectsPerSecond
        uplink.identity = gatewayIdentity(for: uplink.mapping)
        uplink.addressFamily = choice(.uplinkAddressFamily) ?? uplink.addressFamily
        uplink.congestionControl = choice(.uplinkCongestionControl) ?? uplink.congestionControl
        uplink.sendTwice = choice(.uplinkSendTwice) ?? uplink.sendTwice
        uplink.tlsKeyLogFile = keyLogFile()
        uplink.qlogDirectory = qlogDirectory()
        readTimes(into: &uplink)
        readSurvival(into: &uplink)
        checkAddressFamily(uplink.addressFamily, of: endpoints)
        return uplink
    }

    private func readTimes(into uplink: inout UplinkConfiguration) {
        uplink.connectTimeout =
            duration(.uplinkConnectTimeout, in: .seconds(1)...(.seconds(60))) ?? uplink.connectTimeout
        uplink.keepAlive = duration(.uplinkKeepAlive, in: .seconds(1)...(.seconds(30))) ?? uplink.keepAlive
        uplink.idleTimeout = duration(.uplinkIdleTimeout, in: .seconds(2)...(.seconds(3_600))) ?? uplink.idleTimeout
        let backoff = Duration.milliseconds(10)...(.seconds(3_600))
        let minimum = duration(.uplinkBackoffMinimum, in: backoff)
        let maximum = duration(.uplinkBackoffMaximum, in: backoff)
        // If only one of the two is given, the default of the other adapts to it.
        uplink.backoffMinimum = minimum ?? min(uplink.backoffMinimum, maximum ?? uplink.backoffMinimum)
        uplink.backoffMaximum = maximum ?? max(uplink.backoffMaximum, minimum ?? uplink.backoffMaximum)
        if uplink.keepAlive >= uplink.idleTimeout {
            let times = "\(DurationValue.render(uplink.idleTimeout)) is not longer than uplink.keep_alive"
            let key = settings.origin(of: .uplinkIdleTimeout) == nil ? Key.uplinkKeepAlive : .uplinkIdleTimeout
            let advice = "an idle connection would end between two PINGs"
            error(key, "idle timeout \(times) (\(DurationValue.render(uplink.keepAlive))); \(advice)")
        }
        if uplink.backoffMinimum > uplink.backoffMaximum {
            let maximum = DurationValue.render(uplink.backoffMaximum)
            error(
                .uplinkBackoffMinimum,
                "is longer than uplink.backoff_maximum (\(maximum)); the wait grows from one to the other")
        }
    }

    // MARK: - Files

    private static let whereToGetCA =
        "a TESAIoT bundle has the CA as ca-chain.pem; put that file into credential_certificates/"

    private func caFile() -> String {
        guard settings.scalars[.uplinkCA] != nil else {
            missing(.uplinkCA, "the PEM file of the CA that signed the broker's certificate (\(Self.whereToGetCA))")
            return ""
        }
        guard let path = path(.uplinkCA) else { return "" }
        if let problem = PEMFile.problemWithCertificates(at: path) {
            error(.uplinkCA, "\(path): \(problem.message); \(Self.whereToGetCA)")
        }
        return path
    }

    private func clientCertificate() -> (certificate: String?, key: String?) {
        let hasCertificate = settings.isGiven(.uplinkClientCertificate)
        let hasKey = settings.isGiven(.uplinkClientKey)
        if hasCertificate && !hasKey { error(.uplinkClientCertificate, "needs uplink.client_key beside it") }
        if hasKey && !hasCertificate { error(.uplinkClientKey, "needs uplink.client_certificate beside it") }
        return (certificates(.uplinkClientCertificate), privateKey(.uplinkClientKey))
    }

    private func keyLogFile() -> String? {
        guard let path = path(.uplinkTLSKeyLog) else { return nil }
        let folder = PathResolver.folder(of: path)
        if let problem = FolderAccess.problemWithWriting(into: folder.isEmpty ? "." : folder) {
            error(.uplinkTLSKeyLog, "\(folder.isEmpty ? "." : folder): \(problem)")
        }
        warning(.uplinkTLSKeyLog, "anyone who has this file can read all traffic; use it for debugging only")
        return path
    }

    private func qlogDirectory() -> String? {
        guard let path = path(.uplinkQlog) else { return nil }
        if let problem = FolderAccess.problemWithWriting(into: path) { error(.uplinkQlog, "\(path): \(problem)") }
        return path
    }
}
