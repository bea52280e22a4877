/// An IPv4 address and a port.
package struct LoadEndpoint: Sendable, Equatable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// - Parameter text: `HOST:PORT`.
    /// - Returns: `nil` if the text is none.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0,
            colon > text.startIndex
        else { return nil }
        self.init(host: String(text[..<colon]), port: Int(port))
    }
}
