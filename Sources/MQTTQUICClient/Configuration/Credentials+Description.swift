// A configuration that is printed or logged must not show the password.
extension MQTTClientConfiguration.Credentials: CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The user name, and whether there is a password.
    public var description: String {
        "\(username ?? "no user name"), \(password == nil ? "no password" : "password hidden")"
    }

    public var debugDescription: String { description }

    public var customMirror: Mirror {
        Mirror(self, children: ["username": username as Any, "hasPassword": password != nil], displayStyle: .struct)
    }
}
