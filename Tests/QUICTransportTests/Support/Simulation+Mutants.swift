import NIOCore
import QUICSimulation
import TestSupport

@testable import QUICTransport

extension Simulation {
    /// Makes damaged copies of the datagrams arrive as well, on both sides and at random times.
    ///
    /// - Parameter isWanted: Whether to copy the current datagram.
    func injectMutants(
        _ count: Int, delayedUpTo milliseconds: UInt64, seed: UInt64, isWanted: @escaping () -> Bool = { true }
    ) {
        var random = SplitMix64(seed: seed)
        onSend = { [unowned self] datagram, isToServer in
            guard isWanted() else { return }
            for _ in 0..<count {
                var mutant = datagram
                mutant.bytes = Self.mutated(datagram.bytes, &random)
                let delay = TimeAmount.milliseconds(Int64(random.next() % milliseconds))
                inject(mutant, toServer: isToServer, after: delay)
            }
        }
    }

    static func mutated(_ bytes: ByteBuffer, _ random: inout SplitMix64) -> ByteBuffer {
        var copy = Array(bytes.readableBytesView)
        switch random.next() % 6 {
        case 0:
            copy = Array(copy.prefix(Int(random.next() % UInt64(copy.count + 1))))
        case 1:
            copy += (0..<Int(random.next() % 64)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        case 2:
            copy = (0..<Int(random.next() % 1400)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        case 3:
            copy += copy
        default:
            for _ in 0..<Int(1 + random.next() % 8) where !copy.isEmpty {
                // Half of the changes are in the header, because most decisions depend on it.
                let span = random.next() % 2 == 0 ? min(copy.count, 48) : copy.count
                copy[Int(random.next() % UInt64(span))] = UInt8(truncatingIfNeeded: random.next())
            }
        }
        return ByteBuffer(bytes: copy)
    }
}
