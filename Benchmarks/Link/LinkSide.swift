/// A direction of the link.
package enum LinkSide: String, CaseIterable, Sendable {
    /// From edge to cloud.
    case uplink
    /// From cloud to edge.
    case downlink
}
