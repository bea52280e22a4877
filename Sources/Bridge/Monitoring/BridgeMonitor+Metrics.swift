import BridgeCore
import MQTTCodec

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension BridgeMonitor {
    func metrics() async -> [MetricFamily] {
        let (census, status) = (state.census, await status())
        let loops = await census.collect { LoopFigures($0) }
        let figures = loops.reduce(LoopFigures(), +)
        let (statistics, sessions, totals) = (figures.statistics, figures.sessions, figures.traffic)
        let now = Date().timeIntervalSince1970
        return [
            .devices(status.devices, mapping: status.uplink.mapping ?? "auto"),
            .single(
                "devices_accepted_total", .counter, "TCP connections of devices that were accepted.",
                Double(statistics.devices)),
            .single(
                "devices_closed_at_once_total", .counter,
                "TCP connections of devices that were closed at once because too many are being refused already.",
                Double(sessions.closedAtOnce)),
            .bytes(up: statistics.bytesUp, down: statistics.bytesDown),
            Self.packets(
                totals, "mqtt_packets_total", "Packets from devices (up) and from the broker (down).", \.packets),
            Self.packets(
                totals, "mqtt_packet_bytes_total",
                "Bytes of the packets from devices (up) and from the broker (down).", \.bytes),
            .histogram(
                "acknowledgement_seconds",
                "From a device's PUBLISH at QoS 1 or 2 to the broker's PUBACK or PUBREC, one message of a device at a time.",
                totals.acknowledgement),
            .labelled(
                "connects_total", .counter, "CONNECT packets of devices by what they came to.", "outcome",
                ConnectOutcome.allCases.map { ($0.rawValue, Double(sessions.connects[$0] ?? 0)) }),
            .histogram(
                "connect_seconds", "From a device's CONNECT to the CONNACK that let it in.", sessions.connectTime),
            .single(
                "holds_total", .counter, "How often a device was held because the broker was out of reach.",
                Double(sessions.holds)),
            .labelled(
                "hold_ends_total", .counter, "How holds of devices ended.", "outcome",
                HoldOutcome.allCases.map { ($0.rawValue, Double(sessions.returns[$0] ?? 0)) }),
            .single(
                "hold_bytes", .gauge, "Bytes that are kept for devices until the broker has them.",
                Double(shared.holdBudget.usedBytes)),
            .certificates(status.certificates, now: now),
        ] + MetricFamily.eventLoops + bundles + uplink(sessions) + routes(figures.routes)
            + MetricFamily.uplink(status.uplink) + MetricFamily.quic(await census.quicFigures())
    }

    private var bundles: [MetricFamily] {
        let book = shared.generation.bundles?.live.current ?? BundleBook()
        return [
            .labelled(
                "bundles", .gauge, "Devices that have a bundle, by whether there is a password in it.", "state",
                [("usable", Double(book.usableCount)), ("unusable", Double(book.count - book.usableCount))]),
            .labelled(
                "bundle_problems", .gauge, "What is wrong with bundles, by its kind.", "kind",
                BundleBook.Problem.Kind.allCases.map { kind in
                    (kind.rawValue, Double(book.problems.count { $0.kind == kind }))
                }),
        ]
    }

    private func uplink(_ sessions: SessionCounters) -> [MetricFamily] {
        [
            .labelled(
                "uplink_handshakes_total", .counter, "Handshakes with the broker by what they came to.", "outcome",
                HandshakeOutcome.allCases.map { ($0.rawValue, Double(sessions.handshakes[$0] ?? 0)) }),
            .single(
                "uplink_warm_connections", .gauge,
                "Connections to the broker that are ready for devices that have not come yet.", Double(sessions.warm)),
            .labelled(
                "early_data_total", .counter, "Handshakes whose CONNECT went out as early data (0-RTT).", "outcome",
                [
                    ("accepted", Double(sessions.earlyDataAccepted)), ("rejected", Double(sessions.earlyDataRejected)),
                ]),
        ]
    }

    /// At most three series per route of the file.
    private func routes(_ totals: RouteTotals) -> [MetricFamily] {
        let uses = shared.generation.rules.routes.localSides.enumerated().flatMap { index, local in
            RouteTally.Use.allCases.map { use in
                MetricFamily.Sample(
                    .number(Double(totals[index, use])),
                    [.init("route", "\(index + 1)"), .init("local", local), .init("use", "\(use)")])
            }
        }
        let fates = RouteTally.Use.allCases.flatMap { use in
            RouteTally.Fate.allCases.map { fate in
                MetricFamily.Sample(
                    .number(Double(totals[use, fate])), [.init("use", "\(use)"), .init("outcome", "\(fate)")])
            }
        }
        return [
            MetricFamily(
                MetricFamily.prefix + "route_uses_total", .counter,
                "Messages and filters that passed by a route, with its number in the file.", uses),
            MetricFamily(
                MetricFamily.prefix + "unrouted_total", .counter,
                "Messages and filters that no route matched, by what became of them.", fates),
            .labelled(
                "platform_messages_total", .counter,
                "Messages on topics for which the platform of the profile would disconnect the device, which the bridge"
                    + " kept back, or whose messages the platform never stores.", "finding",
                PlatformFinding.allCases.map { ($0.name, Double(totals[$0])) }),
        ]
    }

    /// Only PUBLISH has a QoS. Types that never passed have no series, so that there are few.
    private static func packets(
        _ totals: TrafficTotals, _ name: String, _ help: String, _ value: (TrafficTotals.Figure) -> UInt64
    ) -> MetricFamily {
        var samples: [MetricFamily.Sample] = []
        for direction in TrafficCounters.Direction.allCases {
            for type in PacketType.allCases {
                for qos in 0..<(type == .publish ? 3 : 1) {
                    let figure = totals[direction, type, qos]
                    guard figure.packets > 0 || type == .publish else { continue }
                    samples.append(
                        MetricFamily.Sample(
                            .number(Double(value(figure))),
                            [
                                .init("direction", direction == .up ? "up" : "down"), .init("type", "\(type)"),
                                .init("qos", type == .publish ? "\(qos)" : ""),
                            ]))
                }
            }
        }
        return MetricFamily(MetricFamily.prefix + name, .counter, help, samples)
    }
}
