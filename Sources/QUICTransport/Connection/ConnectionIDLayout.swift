/// How the connection IDs that an endpoint issues are laid out: what tells where the connection is, then random bytes.
///
/// With a server ID, they are as the plain text form of QUIC-LB has them (draft-ietf-quic-load-balancers-21), so that a
/// load balancer finds the server after a client's address has changed: a byte whose upper three bits are the number of
/// the configuration, 0, and whose lower five bits are the number of bytes behind it; the server ID; and the nonce, whose
/// first byte is the event loop's index if there are several.
package struct ConnectionIDLayout: Sendable, Equatable {
    /// In bytes. A nonce of eight bytes follows.
    package static let longestServerID = 8

    /// What all IDs begin with.
    let prefix: [UInt8]
    /// The length of all IDs, in bytes.
    package let length: Int
    /// Where an ID has the index of its event loop, counted from 0.
    let loopOffset: Int

    /// - Parameters:
    ///   - serverID: What tells a load balancer which server it is; at most ``longestServerID`` bytes, empty without one.
    ///   - loop: The index of the event loop that has the connections; `nil` if there is only one.
    /// - Precondition: The server ID is not longer than that.
    package init(serverID: [UInt8] = [], loop: UInt8? = nil) {
        precondition(serverID.count <= Self.longestServerID, "the nonce would be too short")
        let size = serverID.isEmpty ? 0 : serverID.count + 1
        length = size + QUICConnectionID.localLength
        loopOffset = size
        prefix = (serverID.isEmpty ? [] : [UInt8(length - 1)] + serverID) + (loop.map { [$0] } ?? [])
    }
}
