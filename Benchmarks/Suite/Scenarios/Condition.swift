/// What the devices do in a measurement, over which link, and what happens meanwhile: one table of the output.
package struct Condition: Sendable {
    package var link = Link()
    package var load = Load()
    /// What happens, and when: seconds from the first publish.
    package var events: [Event] = []
    /// The kinds of run that contain this condition.
    package var runs: Set<Run> = [.quick, .named, .all]

    /// How the suite was called.
    package enum Run: String, Sendable, Codable {
        /// Without arguments.
        case quick
        /// With the scenario's name.
        case named
        /// With `--all`.
        case all
    }

    package struct Event: Sendable, Equatable {
        package enum Action: Sendable, Equatable {
            /// The link carries nothing for these seconds.
            case outage(seconds: Double)
            /// The NAT forgets all mappings: peers see new ports, and TCP flows die without a word.
            case rebind
            /// Broker and front are killed, and started again after these seconds.
            case brokerDeath(seconds: Double)
        }

        package var at: Double
        package var action: Action
    }

    /// The link between the devices' side and the broker's side.
    package struct Link: Sendable, Codable, Equatable {
        /// Round-trip time, in milliseconds.
        package var roundTrip: Double = 0
        /// Packets lost in each direction, in percent.
        package var loss: Double = 0
        /// Whether the devices' side is behind a NAT that drops TCP flows it does not know.
        package var nat = false

        package init(roundTrip: Double = 0, loss: Double = 0, nat: Bool = false) {
            self.roundTrip = roundTrip
            self.loss = loss
            self.nat = nat
        }

        enum CodingKeys: String, CodingKey {
            case roundTrip = "round_trip_ms"
            case loss = "loss_percent"
            case nat
        }
    }

    package struct Load: Sendable, Codable, Equatable {
        package enum Pattern: String, Sendable, Codable {
            /// Devices connect and stay silent.
            case idle
            /// Every device publishes at its rate.
            case steady
            /// Every device publishes as fast as the messages are taken.
            case saturate
            /// One device publishes, and all others receive each of its messages.
            case fanOut = "fan-out"
        }

        package var pattern: Pattern = .steady
        package var devices = 100
        /// Messages per second of each device.
        package var rate: Double = 1
        package var qos = 1
        /// Bytes.
        package var payload = 200
        /// How long devices publish, or stay idle, in seconds.
        package var seconds: Double = 3
        /// Connections per second; 0 for all at once.
        package var connectRate: Double = 1000
        /// The devices' MQTT keepalive, in seconds.
        package var keepAlive = 60
        /// Whether devices keep their session at the broker over a reconnect.
        package var persistent = false

        enum CodingKeys: String, CodingKey {
            case pattern, devices, rate, qos, payload, seconds, persistent
            case connectRate = "connects_per_second"
            case keepAlive = "keep_alive_seconds"
        }
    }
}

extension Condition {
    /// Whether this can only be measured with a link of its own between two network namespaces.
    var needsLink: Bool {
        link != Link()
            || events.contains {
                switch $0.action {
                case .outage, .rebind: true
                case .brokerDeath: false
                }
            }
    }

    /// When the trouble has ended, in seconds from the first publish; `nil` without events.
    var recoveryBegins: Double? {
        events.map { event in
            switch event.action {
            case .outage(let seconds), .brokerDeath(let seconds): event.at + seconds
            case .rebind: event.at
            }
        }.max()
    }

    /// The heading of the condition's table.
    package var title: String {
        var parts = [loadTitle]
        parts.append("\(Self.short(link.roundTrip)) ms RTT, \(Self.short(link.loss)) % loss")
        let rebinds = events.count { $0.action == .rebind }
        if rebinds > 0 { parts.append("NAT rebinds \(rebinds)x") }
        for event in events {
            switch event.action {
            case .outage(let seconds): parts.append("link down for \(Self.short(seconds)) s")
            case .brokerDeath(let seconds): parts.append("broker dead for \(Self.short(seconds)) s")
            case .rebind: break
            }
        }
        return parts.joined(separator: ", ")
    }

    private var loadTitle: String {
        let size = load.payload >= 1_000_000 ? "\(load.payload / 1_000_000) MB" : "\(load.payload) bytes"
        let messages = "QoS \(load.qos) of \(size)"
        switch load.pattern {
        case .idle:
            let pace = load.connectRate == 0 ? "all connect at once" : "\(Self.short(load.connectRate)) connects/s"
            return "\(load.devices) idle devices, keepalive \(load.keepAlive) s, \(pace)"
        case .steady: return "\(load.devices) devices x \(Self.short(load.rate))/s, \(messages)"
        case .saturate: return "\(load.devices) devices at full speed, \(messages)"
        case .fanOut: return "1 to \(load.devices) devices, \(Self.short(load.rate))/s, \(messages)"
        }
    }

    private static func short(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : "\(value)"
    }
}
