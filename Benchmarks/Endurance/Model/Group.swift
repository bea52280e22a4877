/// The devices of one way to the broker.
package enum Group: String, CaseIterable, Sendable, Codable {
    case connection
    case mux
    /// Connected to the broker itself, over the same link: what the broker and TCP do without a bridge.
    case direct
}
