import BridgeCore
import NIOCore
import TestSupport

/// The PROXY header that `serve` writes is read by a server as the addresses that went into it, and a device that sends
/// such a header is recognised however few bytes of it are there.
package enum ProxyHeaderTarget: FuzzTarget {
    package static let name = "proxy-header"
    package static let summary = "a PROXY header says the addresses that it was made of"
    package static let maximumLength = 128
    package static let seeds: [[UInt8]] = [
        [4, 4] + [192, 0, 2, 1, 10, 0, 0, 2, 0x9C, 0x40, 0x07, 0x5B],
        [6, 6] + [UInt8](1...32) + [1, 2, 3, 4],
        [6, 4] + mapped + [192, 0, 2, 7] + [UInt8](1...20),
        [6, 6] + mapped + [1, 2, 3, 4] + mapped + [5, 6, 7, 8, 0, 0, 0, 0],
    ]
    private static let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]

    package static func run(_ input: [UInt8]) throws {
        var choices = Choices(bytes: input)
        let (sourceLength, destinationLength) = (length(choices.byte()), length(choices.byte()))
        let (from, to) = (choices.take(sourceLength), choices.take(destinationLength))
        let ports = choices.take(4)
        guard from.count == sourceLength, to.count == destinationLength, ports.count == 4 else { return }
        let (fromPort, toPort) = (Int(ports[0]) << 8 | Int(ports[1]), Int(ports[2]) << 8 | Int(ports[3]))
        let header = ProxyHeader.encode(
            source: try SocketAddress(packedIPAddress: ByteBuffer(bytes: from), port: fromPort),
            destination: try SocketAddress(packedIPAddress: ByteBuffer(bytes: to), port: toPort))
        let (shortFrom, known) = (unmapped(from), unmapped(to))
        // A destination of the other family is left out.
        let shortTo = known.count == shortFrom.count ? known : [UInt8](repeating: 0, count: shortFrom.count)
        try check(Array(header.readableBytesView), shortFrom + shortTo + ports, family: shortFrom.count)
        for length in 8...header.readableBytes {
            guard let start = header.getSlice(at: header.readerIndex, length: length) else { continue }
            try require(ForeignProtocol.guess(start)?.contains("PROXY") == true, "\(length) bytes are not recognised")
        }
    }

    /// Section 2.2 of the specification.
    private static func check(_ header: [UInt8], _ addresses: [UInt8], family: Int) throws {
        let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
        let expected = signature + [0x21, family == 4 ? 0x11 : 0x21, 0, UInt8(addresses.count)] + addresses
        try require(header == expected, "\(header), not \(expected)")
    }

    private static func length(_ choice: UInt8) -> Int { choice & 2 == 0 ? 4 : 16 }

    private static func unmapped(_ address: [UInt8]) -> [UInt8] {
        address.starts(with: mapped) ? Array(address.suffix(4)) : address
    }
}
