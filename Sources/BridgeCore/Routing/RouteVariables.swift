/// The values of one device's variables. In routes they are the identity as the broker sees it.
package struct RouteVariables: Sendable, Equatable {
    package var clientID: String
    /// Empty where the device has none.
    package var username: String
    package var listener: String
    package var peer: String

    package init(clientID: String = "", username: String = "", listener: String = "", peer: String = "") {
        self.clientID = clientID
        self.username = username
        self.listener = listener
        self.peer = peer
    }

    package subscript(variable: RouteVariable) -> String {
        switch variable {
        case .clientID: clientID
        case .username: username
        case .listener: listener
        case .peer: peer
        }
    }
}
