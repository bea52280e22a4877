/// Which QUIC datagrams go out twice, so that they arrive although one of the two is lost.
package enum SendTwice: String, Sendable, CaseIterable {
    case never
    /// Those with data that has been sent before and was lost.
    case retransmissions
    /// All small datagrams with data, and retransmissions.
    case small
}
