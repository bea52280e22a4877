import BridgeCore

extension ConfigurationReader {
    private static let maximumHostNames = 64

    /// The section `admin`.
    /// - Parameter defaultAddress: The address if the key is not given; `nil`: then there is no admin endpoint.
    func admin(unlessGiven defaultAddress: ListenAddress?) -> AdminConfiguration {
        let setting = settings.scalars[.adminListen]
        let address = setting.map { $0.text == "off" ? nil : adminAddress($0) } ?? defaultAddress
        let admin = AdminConfiguration(
            listen: address, isListenGiven: setting != nil, tokenFile: adminTokenFile(), hostNames: adminHostNames())
        if let address, !address.isLoopback, admin.tokenFile == nil { reportExposure(of: address) }
        if setting != nil, address == nil, admin.tokenFile != nil, setting?.text == "off" {
            warning(.adminTokenFile, "has no effect with admin.listen off")
        }
        return admin
    }

    /// The section `admin` of `run`. An address that devices use is an error; if it is only the default, there is no admin
    /// endpoint, and a warning says so.
    func admin(besides listeners: [ListenAddress]) -> AdminConfiguration {
        var admin = admin(unlessGiven: AdminConfiguration.defaultAddress)
        guard let address = admin.listen, let rival = listeners.first(where: { $0.excludes(address) }) else {
            return admin
        }
        let taken = "\(address.name) is taken by listen (\(ListenAddress(host: rival.host, port: rival.port).name))"
        if admin.isListenGiven {
            error(.adminListen, "\(taken); write another port, or off")
        } else {
            warning(.listen, "there is no admin endpoint, as \(taken); name another port in admin.listen, or off")
            admin.listen = nil
        }
        return admin
    }

    private func adminAddress(_ setting: Setting) -> ListenAddress? {
        do {
            return try ListenValue.parse(setting.text, transport: .http)
        } catch {
            let message = "\(values.quoted(setting.text)): \(error.message); off for no admin endpoint"
            diagnostics.error(setting.origin, Key.adminListen.rawValue, message)
            return nil
        }
    }

    private func reportExposure(of address: ListenAddress) {
        let reason = "\(address.name) can be reached from other machines, and who reaches it can disconnect devices"
        let token = "name a file with a token in admin.token_file (\(AdminToken.advice))"
        error(.adminListen, "\(reason); \(token), or listen on 127.0.0.1:\(address.port)")
    }

    // MARK: - Token

    /// The path of the token file. A file that is not usable is reported, but its path is still returned.
    private func adminTokenFile() -> String? {
        guard let setting = settings.scalars[.adminTokenFile] else { return nil }
        let key = Key.adminTokenFile.rawValue
        guard let (token, path, isReadableByOthers) = content(of: setting, key) else {
            return values.path(setting, key)
        }
        if isReadableByOthers { warning(.adminTokenFile, "\(path) can be read by other users; chmod 600 it") }
        if let problem = AdminToken.problem(with: token) { error(.adminTokenFile, "\(path): \(problem)") }
        return path
    }

    // MARK: - Host names

    private func adminHostNames() -> [String] {
        let names = words(.adminHostNames) ?? []
        if names.count > Self.maximumHostNames {
            error(.adminHostNames, "more than \(Self.maximumHostNames) names")
        }
        return names.compactMap { setting in
            let key = Key.adminHostNames.rawValue
            guard let name = values.text(setting, key) else { return nil }
            guard let problem = HostValue.problem(with: name) else { return name }
            diagnostics.error(setting.origin, key, problem)
            return nil
        }
    }
}
