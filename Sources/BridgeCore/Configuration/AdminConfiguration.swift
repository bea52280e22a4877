/// The section `admin`: where the program can be watched and controlled over HTTP.
package struct AdminConfiguration: Sendable, Equatable {
    /// Where `run` listens if the file says nothing.
    package static let defaultAddress = ListenAddress(host: "127.0.0.1", port: 9883)

    /// The address to listen on; `nil`: there is no admin endpoint.
    package var listen: ListenAddress?
    /// Whether the file or the environment names the address. One that is only the default and in use by another program
    /// does not keep the program from starting.
    package var isListenGiven: Bool
    /// A file of one line, the token that clients must send as `Authorization: Bearer`; `nil`: none is asked for.
    package var tokenFile: String?
    /// Host names, besides `localhost` and IP addresses, by which clients may call the endpoint.
    package var hostNames: [String]

    package init(
        listen: ListenAddress? = nil, isListenGiven: Bool = false, tokenFile: String? = nil, hostNames: [String] = []
    ) {
        self.listen = listen
        self.isListenGiven = isListenGiven
        self.tokenFile = tokenFile
        self.hostNames = hostNames
    }
}

extension AdminConfiguration {
    /// The address that has to be available for the program to start; none if it is only the default.
    package var givenAddress: [ListenAddress] { isListenGiven ? [listen].compactMap { $0 } : [] }
}

/// A configuration of a command that can be watched: `run`'s or `serve`'s.
package protocol AdminConfigured: Sendable {
    var admin: AdminConfiguration { get }
}

extension BridgeConfiguration: AdminConfigured {}
extension ServeConfiguration: AdminConfigured {}
