/// What a load run has measured. All latencies are in milliseconds.
///
/// Unless said otherwise, a figure covers the window: the seconds of publishing without the warm-up.
package struct LoadReport: Codable, Sendable, Equatable {
    package var devices: Int
    /// Messages per second that each device was to publish; at a fan-out, those to all devices. 0 if the run was idle,
    /// or as fast as it could be.
    package var rate: Double
    /// How long the devices published, or idled.
    package var seconds: Double
    /// How many of these seconds the figures cover.
    package var windowSeconds: Double
    /// From the opening of a device's first connection to its CONNACK, over the whole run.
    package var connect: Latency
    /// How many attempts to connect ended without a CONNACK that accepts, over the whole run.
    package var connectsRefused: Int
    /// From the time at which a message was due to be published to its arrival.
    package var endToEnd: Latency
    /// From the time at which a message was due to be published to its PUBACK. Has no samples at QoS 0.
    package var acknowledged: Latency
    /// From the sending of a command to its arrival; `nil` if the run sends none.
    package var commands: Latency?
    /// From the mark to the arrival of each device's first message that was published after it; `nil` without a mark.
    package var recovery: Latency?
    /// How many devices have not had such a message at the end of the run; `nil` without a mark.
    package var notRecovered: Int?
    /// Messages that were due in the whole run. At a fan-out, each counts once per device, and so do the following.
    package var offered: Int
    /// Messages that have arrived in the whole run, each counted once.
    package var arrived: Int
    /// Messages that were sent and have never arrived.
    package var lost: Int
    /// How many times a message has arrived again.
    package var duplicates: Int
    /// Messages that were due when a QoS 0 device could not send, or when too many QoS 1 messages waited in the device.
    package var unsent: Int
    /// QoS 1 messages that were sent again after a reconnect.
    package var resent: Int
    /// How many times devices have connected again in the whole run.
    package var reconnects: Int
    /// Arrivals per second.
    package var messagesPerSecond: Double
    /// The longest time in which no message arrived at all, over the whole publishing time.
    package var longestGapMilliseconds: Double
    /// How late the load generator itself was with a due message or tick: the 99th percentile, in milliseconds. If this
    /// is near the latencies, these are the generator's own.
    package var loadLagMilliseconds: Double
    /// CPU time of the load generator's own thread, in microseconds per message.
    package var loadCPUMicrosecondsPerMessage: Double
    package var processes: [ProcessUse]
    /// The figures of each minute of the window. Empty if that is shorter than two minutes.
    package var minutes: [Minute]
}
