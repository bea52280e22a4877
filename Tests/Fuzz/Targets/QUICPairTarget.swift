import NIOCore
import QUICSimulation
import QUICTransport
import TestSupport

/// Two connections whose datagrams are lost, repeated, delayed and damaged, and get others in between, go on or end; the
/// bytes of a stream arrive as they were sent, and nothing is kept without a bound.
///
/// The first byte chooses when the trouble begins. Each step takes a byte that chooses what an application or the network
/// does, and while there is trouble, so does each datagram.
package enum QUICPairTarget: FuzzTarget {
    package static let name = "quic-pair"
    package static let summary = "a pair of connections in a hostile network goes on or ends"
    package static let maximumLength = 2048
    package static let seeds = randomSeeds(12)

    package static func run(_ input: [UInt8]) throws {
        let scene = try QUICScene(Choices(bytes: input))
        try scene.run()
    }
}
