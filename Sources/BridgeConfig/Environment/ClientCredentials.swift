/// The user name and the password with which a client connects. Each of them may be missing.
package struct ClientCredentials: Sendable, Equatable {
    package var username: String?
    package var password: String?

    package init(username: String? = nil, password: String? = nil) {
        self.username = username
        self.password = password
    }

    /// The first user name of all levels, and the first password that was written with that user name or with none: a
    /// password must not go out with a user name that it is not for.
    ///
    /// - Parameter levels: What each source says; the first one wins.
    package init(levels: [ClientCredentials]) {
        let username = levels.lazy.compactMap(\.username).first
        self.username = username
        password = levels.first { $0.password != nil && ($0.username == nil || $0.username == username) }?.password
    }
}

extension DeviceSettings {
    package var credentials: ClientCredentials { ClientCredentials(username: username, password: password) }
}

extension [DeviceSettings] {
    /// The settings that are for a host or name none. One that names another host has been written for that one, so
    /// nothing is taken from it.
    ///
    /// - Returns: These settings, and a sentence about each of the others.
    package func meant(for host: String) -> (settings: [DeviceSettings], notes: [String]) {
        let others = filter { $0.host.map { $0.lowercased() != host.lowercased() } ?? false }
        return (
            filter { !others.contains($0) },
            others.map { "\($0.source) is for another host, \($0.host ?? ""), so its MQTT_ names are not used" }
        )
    }
}
