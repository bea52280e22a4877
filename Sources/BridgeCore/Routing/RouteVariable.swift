/// A variable that a template may use. Its value is known once a device has sent its CONNECT.
package enum RouteVariable: String, Sendable, Hashable, CaseIterable {
    /// `${clientid}`
    case clientID = "clientid"
    /// `${username}`
    case username
    /// `${listener}`: the address the device connected to.
    case listener
    /// `${peer}`: the address the device connected from.
    case peer

    /// The variable as it is written in a template, for messages.
    package var placeholder: String { "${\(rawValue)}" }
}
