extension MQTTClientConfiguration {
    /// More than EMQX can be configured to allow in earnest.
    static let mostDataStreams = 1_024

    /// What no broker could be reached with is refused before anything is done.
    ///
    /// - Throws: `invalidArgument`, which names the property, its value and what is possible.
    func check() throws(MQTTClientError) {
        guard !host.isEmpty else { throw .invalidArgument("host is empty: give the broker's name or address") }
        try Self.check("port", port, 1...65_535)
        if let fallback {
            try Self.check("fallback.port", fallback.port, 1...65_535)
            guard fallback.host?.isEmpty != true else {
                throw .invalidArgument("fallback.host is empty: give a name or an address, or nil for the same host")
            }
        }
        guard (1...255).contains(alpn.utf8.count) else {
            throw .invalidArgument("alpn has \(alpn.utf8.count) bytes: use 1 to 255, such as \"mqtt\"")
        }
        try Self.check("receiveMaximum", Int(receiveMaximum), 1...65_535)
        guard maximumPacketSize > 0 else {
            throw .invalidArgument("maximumPacketSize is \(maximumPacketSize): use 1 or more bytes")
        }
        try Self.check("dataStreams", dataStreams, 0...Self.mostDataStreams)
    }

    private static func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(MQTTClientError) {
        guard range.contains(value) else {
            throw .invalidArgument("\(name) is \(value): use \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
