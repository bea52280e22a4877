/// The address in a URL such as `mqtts://mqtt.tesaiot.com:14567/path`. Everything else in a URL is left out.
struct BundleURL: Equatable {
    /// In lower case: `mqtts`.
    var scheme: String
    var host: String
    /// As it is written; it may not be a port.
    var port: String?

    /// `nil` if the text is not a URL with a host.
    init?(_ text: String) {
        guard let colon = text.firstRange(of: "://") else { return nil }
        scheme = text[..<colon.lowerBound].lowercased()
        let authority = text[colon.upperBound...].prefix { !"/?#".contains($0) }
        // Someone's user name and password may come first.
        let address = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        if address.hasPrefix("["), let close = address.firstIndex(of: "]") {
            host = String(address[address.index(after: address.startIndex)..<close])
            let rest = address[address.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.isEmpty ? nil : String(rest.dropFirst())
        } else {
            let parts = address.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            host = parts.first.map(String.init) ?? ""
            port = parts.count > 1 ? String(parts[1]) : nil
        }
        guard !scheme.isEmpty, !host.isEmpty else { return nil }
    }
}
