import MQTTCodec

/// What a load run does. The defaults are a short run of 100 devices with one QoS 1 message per second each.
package struct LoadOptions: Sendable, Equatable {
    /// What is sent, and by whom.
    package enum Traffic: Sendable, Equatable {
        /// Each device publishes this many messages per second, to which the receiver subscribes.
        case steady(rate: Double)
        /// Each device publishes as fast as it can. At QoS 1 it keeps `window` messages unacknowledged; at QoS 0 it
        /// writes up to `window` messages at a time whenever its socket takes them.
        case saturation(window: Int)
        /// The receiver's side publishes this many messages per second to one topic that all devices subscribe to.
        /// Every message counts once per device.
        case fanOut(rate: Double)
        /// Nothing is sent: the devices are connected for as long as the run lasts.
        case idle
    }

    /// Where devices connect, as an IPv4 address and a port.
    package var deviceEndpoint: LoadEndpoint
    /// Where the receiver connects.
    package var receiverEndpoint: LoadEndpoint
    /// The network namespace of the devices, named as for `ip netns`; `nil` for that of the process.
    package var deviceNamespace: String?
    /// The same for the receiver.
    package var receiverNamespace: String?
    package var devices = 100
    package var traffic = Traffic.steady(rate: 1)
    /// The length of a message's payload in bytes.
    package var payloadLength = 200
    package var qos = QoS.atLeastOnce
    package var version = MQTTVersion.v3_1_1
    /// How long devices publish, or idle.
    package var seconds = 20.0
    /// How many of these seconds, at the beginning, are left out of latencies, rates and the figures of processes.
    package var warmUpSeconds = 2.0
    /// How long the run waits, after the last publish, for messages and acknowledgements that have not arrived.
    package var drainSeconds = 5.0
    /// How many devices connect per second; 0 lets all connect at once.
    package var connectRate = 500.0
    /// How long the run waits for all devices to be connected.
    package var connectSeconds = 60.0
    /// MQTT keep alive in seconds; 0 turns it off.
    package var keepAlive: UInt16 = 60
    /// Devices keep their sessions at the broker for an hour.
    package var isPersistent = false
    /// How many commands per second the receiver's side sends, to one device after the other.
    package var commandRate = 0.0
    /// A time in seconds after the first publish. The run reports how long after it each device's first message that
    /// was published after it arrives: the recovery from an outage that ends then.
    package var mark: Double?
    /// The earliest time of the first message, in seconds of the machine's monotonic clock (CLOCK_MONOTONIC), so that
    /// several runs can begin at the same time.
    package var notBefore: Double?
    /// How long a device waits before it connects again, in seconds; the wait varies by a fifth.
    package var reconnectSeconds = 1.0
    /// The first level of all topics, and the beginning of all client identifiers.
    package var topic = "load"
    /// What devices and receiver show in CONNECT.
    package var username: String?
    package var password: String?
    /// Processes whose CPU time, memory and context switches are reported.
    package var processes: [WatchedProcess] = []

    package init(deviceEndpoint: LoadEndpoint, receiverEndpoint: LoadEndpoint) {
        self.deviceEndpoint = deviceEndpoint
        self.receiverEndpoint = receiverEndpoint
    }
}
