/// The values of the variables for one device. In routes, client id and user name are those that the broker sees.
package struct RouteVariables: Sendable, Equatable {
    /// The client id, which may be empty.
    package var clientID: String
    /// Empty if the device has none.
    package var username: String
    /// The name of the listener to which the device connected.
    package var listener: String
    /// The address from which the device connected.
    package var peer: String

    package init(clientID: String = "", username: String = "", listener: String = "", peer: String = "") {
        self.clientID = clientID
        self.username = username
        self.listener = listener
        self.peer = peer
    }

    /// The value of a variable.
    package subscript(variable: RouteVariable) -> String {
        switch variable {
        case .clientID: clientID
        case .username: username
        case .listener: listener
        case .peer: peer
        }
    }
}
