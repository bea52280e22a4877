/// What the emulated link does to the packets of one direction.
package struct LinkSettings: Sendable, Equatable {
    /// A setting, by its name in commands.
    package enum Key: String, CaseIterable, Sendable {
        case delay, jitter, loss, rate, queue

        fileprivate var range: ClosedRange<Double> {
            switch self {
            case .delay, .jitter: 0...60_000
            case .loss: 0...100
            case .rate: 0...100_000
            case .queue: 1...65_536
            }
        }
    }

    /// One way, in milliseconds.
    package private(set) var delay = 0.0
    /// The delay varies by up to this many milliseconds, either way. That never changes the order of packets.
    package private(set) var jitter = 0.0
    /// The share of packets that are lost, in percent.
    package private(set) var loss = 0.0
    /// The bandwidth in Mbit/s; 0 is unlimited.
    package private(set) var rate = 0.0
    /// How many bytes wait for the bandwidth at most, in KiB.
    package private(set) var queue = 256.0

    package init() {}

    /// The value of a setting.
    package subscript(key: Key) -> Double {
        switch key {
        case .delay: delay
        case .jitter: jitter
        case .loss: loss
        case .rate: rate
        case .queue: queue
        }
    }

    /// - Throws: `LinkError.command` if the value is out of its range.
    package mutating func set(_ key: Key, to value: Double) throws(LinkError) {
        guard key.range.contains(value) else {
            throw .command(
                "\(key.rawValue)=\(value): it is not within \(key.range.lowerBound) to \(key.range.upperBound)")
        }
        switch key {
        case .delay: delay = value
        case .jitter: jitter = value
        case .loss: loss = value
        case .rate: rate = value
        case .queue: queue = value
        }
    }
}
