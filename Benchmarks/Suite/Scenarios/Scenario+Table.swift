extension Scenario {
    /// All scenarios, in the order in which they run. This is the place to add one.
    package static let table: [Scenario] = [
        Scenario(
            name: "connect", summary: "CONNECT to CONNACK, cold, resumed, as early data and warm",
            paths: Path.connecting, order: .interleaved(rounds: 1), figures: Figure.connecting,
            conditions: [
                Condition(link: .far(), load: .init(pattern: .idle, devices: 20, seconds: 0.3, connectRate: 10))
            ],
            rehearsal: .init(pattern: .idle, devices: 2, seconds: 0.3, connectRate: 10)),
        Scenario(
            name: "idle", summary: "memory and keep-alive of devices that are connected and silent", paths: Path.usual,
            order: .fresh, figures: Figure.idle,
            conditions: [
                Condition(
                    load: .init(pattern: .idle, devices: 1000, seconds: 3, keepAlive: 300), runs: [.quick, .all]),
                // Each device says about once that it is alive.
                Condition(load: .init(pattern: .idle, devices: 1000, seconds: 32, keepAlive: 30), runs: [.named]),
                Condition(load: .init(pattern: .idle, devices: 10_000, seconds: 32, keepAlive: 30), runs: [.all]),
            ]),
        Scenario(
            name: "storm", summary: "1,000 devices that connect in the same second", paths: Path.usual,
            order: .interleaved(rounds: 2), figures: Figure.connecting,
            conditions: [
                Condition(load: .init(pattern: .idle, devices: 1000, seconds: 0.5, connectRate: 0)),
                Condition(
                    link: .far(), load: .init(pattern: .idle, devices: 1000, seconds: 0.5, connectRate: 0),
                    runs: [.named, .all]),
            ]),
        Scenario(
            name: "steady", summary: "1,000 devices with one message per second each", paths: Path.usual,
            order: .interleaved(rounds: 2), figures: Figure.latency + Figure.carried + Figure.cost,
            conditions: links(
                load: .init(devices: 1000, rate: 1, connectRate: 2000), seconds: 4, quick: [.far(), .far(loss: 5)])),
        Scenario(
            name: "busy", summary: "10 devices with 100 messages per second each", paths: Path.usual,
            order: .interleaved(rounds: 2), figures: Figure.latency + Figure.carried + Figure.cost,
            conditions: links(load: .init(devices: 10, rate: 100), seconds: 4, quick: [.far(loss: 5)])),
        Scenario(
            name: "saturation", summary: "as many messages as can be carried", paths: Path.usual,
            order: .interleaved(rounds: 2), figures: Figure.carried + [.acknowledgedP50] + Figure.cost,
            conditions: [
                Condition(load: .init(pattern: .saturate, devices: 50, qos: 1)),
                Condition(load: .init(devices: 50, rate: 400, qos: 0), runs: [.named, .all]),
                Condition(link: .far(), load: .init(pattern: .saturate, devices: 50, qos: 1), runs: [.named, .all]),
                Condition(link: .far(), load: .init(devices: 50, rate: 400, qos: 0), runs: [.named]),
            ]),
        Scenario(
            name: "fan-out", summary: "one publisher, 500 subscribers", paths: Path.usual,
            order: .interleaved(rounds: 1), figures: Figure.latency + Figure.carried + Figure.cost,
            conditions: [Condition(load: .init(pattern: .fanOut, devices: 500, rate: 5, qos: 1))]),
        Scenario(
            name: "large", summary: "payloads of 1 MB", paths: Path.usual,
            order: .interleaved(rounds: 1), figures: Figure.latency + Figure.carried + Figure.cost,
            conditions: [
                Condition(link: .far(), load: .init(devices: 4, rate: 1, payload: 1_000_000)),
                Condition(
                    link: .far(loss: 1), load: .init(devices: 4, rate: 1, payload: 1_000_000, seconds: 10),
                    runs: [.named, .all]),
            ]),
        Scenario(
            name: "outage", summary: "the link is down for a while", paths: Path.usual, order: .together,
            figures: Figure.survival,
            conditions: [10, 30].map { seconds in
                Condition(
                    link: .far(nat: true), load: .init(devices: 100, seconds: seconds + 25),
                    events: [.init(at: 5, action: .outage(seconds: seconds))], runs: [.named, .all])
            }),
        Scenario(
            name: "rebind", summary: "the NAT silently forgets all mappings", paths: Path.usual, order: .together,
            figures: Figure.survival,
            conditions: [1, 5].map { times in
                Condition(
                    link: .far(nat: true), load: .init(devices: 100, seconds: 28 + 4 * Double(times), keepAlive: 10),
                    events: (0..<times).map { .init(at: 5 + 4 * Double($0), action: .rebind) }, runs: [.named, .all])
            }),
        Scenario(
            name: "broker", summary: "broker and front die and come back, with sessions on disk", paths: Path.usual,
            order: .together, figures: Figure.survival,
            conditions: [
                Condition(
                    link: .far(), load: .init(devices: 100, seconds: 30, persistent: true),
                    events: [.init(at: 5, action: .brokerDeath(seconds: 5))], runs: [.named, .all])
            ],
            persistentBroker: true),
        Scenario(
            name: "long", summary: "the same figures at both ends of a long run", paths: Path.usual, order: .together,
            figures: Figure.latency + Figure.carried + Figure.cost,
            conditions: [
                // Two minutes and ten minutes after the warm-up.
                Condition(link: .far(), load: .init(devices: 100, seconds: 122), runs: [.named]),
                Condition(link: .far(), load: .init(devices: 100, seconds: 602), runs: [.all]),
            ]),
    ]

    /// The same load over links without and with delay and loss.
    private static func links(load: Condition.Load, seconds: Double, quick: [Condition.Link]) -> [Condition] {
        var longer = load
        longer.seconds = seconds
        return [Condition.Link(), .far(), .far(loss: 1), .far(loss: 5)].map {
            Condition(link: $0, load: longer, runs: [.named, .all])
        } + quick.map { Condition(link: $0, load: load, runs: [.quick]) }
    }
}

extension Condition.Link {
    /// 50 ms of round-trip time.
    static func far(loss: Double = 0, nat: Bool = false) -> Self {
        Self(roundTrip: 50, loss: loss, nat: nat)
    }
}
