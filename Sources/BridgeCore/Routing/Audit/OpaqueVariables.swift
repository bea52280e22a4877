/// Values for the variables of routes that stand for those of any device.
enum OpaqueVariables {
    /// Before the name of the variable. It is a character of the private use area, which no topic has.
    private static let mark = "\u{E000}"

    static let values = RouteVariables(
        clientID: mark + RouteVariable.clientID.rawValue, username: mark + RouteVariable.username.rawValue,
        listener: mark + RouteVariable.listener.rawValue, peer: mark + RouteVariable.peer.rawValue)

    /// The text as an operator would write it.
    static func shown(_ text: String) -> String {
        RouteVariable.allCases.reduce(text) { $0.replacing(mark + $1.rawValue, with: $1.placeholder) }
    }
}
