/// What the emulated link does to the packets of one direction.
package struct LinkSettings: Sendable, Equatable {
    /// One way, in milliseconds.
    package var delay = 0.0
    /// The delay varies by up to this many milliseconds, either way, and never reorders packets.
    package var jitter = 0.0
    /// The share of packets that are lost, in percent.
    package var loss = 0.0
    /// The bandwidth in Mbit/s; 0 is unlimited.
    package var rate = 0.0
    /// How much waits in front of the bandwidth at most, in KiB.
    package var queue = 256.0

    package init() {}
}
