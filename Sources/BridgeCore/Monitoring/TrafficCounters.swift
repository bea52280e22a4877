import MQTTCodec
import NIOCore

/// What passes through the sessions of one event loop, by type and QoS.
///
/// Plain integers of the loop's own: counting a packet is two additions. A message that passes in pieces counts with its
/// whole length when it begins.
package final class TrafficCounters {
    /// From devices, or from the broker.
    package enum Direction: Int, Sendable, CaseIterable {
        case up, down
    }

    /// The first byte of a packet decides about its place: the type, and for PUBLISH the QoS.
    private static let places = 64

    /// Packets and bytes side by side, because one packet changes both.
    private let figures: UnsafeMutablePointer<UInt64>
    /// From a device's PUBLISH to the broker's PUBACK or PUBREC; see ``DeviceMeter``.
    package var acknowledgement = DurationHistogram()

    package init() {
        figures = .allocate(capacity: 4 * Self.places)
        figures.initialize(repeating: 0, count: 4 * Self.places)
    }

    deinit {
        figures.deallocate()
    }

    /// Counts a packet.
    ///
    /// - Parameter flags: The lower four bits of its first byte.
    @inline(__always)
    package func count(_ direction: Direction, _ type: PacketType, flags: UInt8, bytes: Int) {
        let qos = type == .publish ? Int(flags >> 1) & 3 : 0
        let place = (direction.rawValue * Self.places + Int(type.rawValue) * 4 + qos) * 2
        figures[place] &+= 1
        figures[place + 1] &+= UInt64(truncatingIfNeeded: bytes)
    }

    /// What has been counted until now.
    package var totals: TrafficTotals {
        var totals = TrafficTotals()
        for index in 0..<2 * Self.places {
            totals.figures[index] = .init(packets: figures[index * 2], bytes: figures[index * 2 + 1])
        }
        totals.acknowledgement = acknowledgement
        return totals
    }
}

/// The figures of ``TrafficCounters``, of one event loop or of all together.
package struct TrafficTotals: Sendable, Equatable {
    /// What passed with one type and QoS, in one direction.
    package struct Figure: Sendable, Equatable {
        package var packets: UInt64 = 0
        package var bytes: UInt64 = 0
    }

    /// 64 for each direction.
    fileprivate(set) var figures = Array(repeating: Figure(), count: 128)
    /// From a device's PUBLISH to the broker's PUBACK or PUBREC.
    package fileprivate(set) var acknowledgement = DurationHistogram()

    package init() {}

    /// The packets of one type that passed in one direction.
    ///
    /// - Parameter qos: The QoS of the messages, which matters only for PUBLISH.
    package subscript(direction: TrafficCounters.Direction, type: PacketType, qos: Int = 0) -> Figure {
        figures[direction.rawValue * 64 + Int(type.rawValue) * 4 + (type == .publish ? qos & 3 : 0)]
    }

    /// PUBLISH packets of every QoS.
    package func messages(_ direction: TrafficCounters.Direction) -> UInt64 {
        (0..<4).reduce(0) { $0 + self[direction, .publish, $1].packets }
    }

    /// What passed through the sessions of both.
    package static func + (left: Self, right: Self) -> Self {
        var sum = left
        for index in sum.figures.indices {
            sum.figures[index].packets += right.figures[index].packets
            sum.figures[index].bytes += right.figures[index].bytes
        }
        sum.acknowledgement = left.acknowledgement + right.acknowledgement
        return sum
    }
}
