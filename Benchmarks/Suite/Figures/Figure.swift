/// One number that a run gives: a row of the tables. The raw value is its name in the JSON.
package enum Figure: String, CaseIterable, Sendable {
    case connectP50 = "connect_p50_ms"
    case connectP95 = "connect_p95_ms"
    case connectP99 = "connect_p99_ms"
    case connectMax = "connect_max_ms"
    case connectsRefused = "connects_refused"

    case endToEndP50 = "end_to_end_p50_ms"
    case endToEndP95 = "end_to_end_p95_ms"
    case endToEndP99 = "end_to_end_p99_ms"
    case endToEndMax = "end_to_end_max_ms"
    case acknowledgedP50 = "acknowledged_p50_ms"
    case acknowledgedP99 = "acknowledged_p99_ms"
    case recoveryP50 = "recovery_p50_ms"
    case recoveryMax = "recovery_max_ms"
    case notRecovered = "not_recovered"
    case longestGap = "longest_gap_ms"

    case messageRate = "messages_per_second"
    case lost
    case duplicates
    case unsent
    case reconnects

    case sidecarCPU = "sidecar_cpu_us_per_message"
    case farEndCPU = "far_end_cpu_us_per_message"
    case brokerCPU = "broker_cpu_us_per_message"
    case sidecarIdleCPU = "sidecar_cpu_percent"
    case farEndIdleCPU = "far_end_cpu_percent"
    case brokerIdleCPU = "broker_cpu_percent"

    case sidecarMemory = "sidecar_kib_per_device"
    case farEndMemory = "far_end_kib_per_device"
    case brokerMemory = "broker_kib_per_device"

    case packets = "packets_per_message"
    case wireBytes = "wire_bytes_per_message"

    case sidecarTimers = "sidecar_timer_firings_per_message"
    case farEndTimers = "far_end_timer_firings_per_message"
    case sidecarWakeUps = "sidecar_wake_ups_per_message"
    case farEndWakeUps = "far_end_wake_ups_per_message"
    case sidecarSystemCalls = "sidecar_system_calls_per_message"
    case farEndSystemCalls = "far_end_system_calls_per_message"

    case loadLag = "load_lag_ms"
}

extension Figure {
    /// The row's heading, with the unit.
    package var title: String {
        switch self {
        case .connectP50: "connect p50, ms"
        case .connectP95: "connect p95, ms"
        case .connectP99: "connect p99, ms"
        case .connectMax: "connect max, ms"
        case .connectsRefused: "connects refused"
        case .endToEndP50: "end to end p50, ms"
        case .endToEndP95: "end to end p95, ms"
        case .endToEndP99: "end to end p99, ms"
        case .endToEndMax: "end to end max, ms"
        case .acknowledgedP50: "acknowledged p50, ms"
        case .acknowledgedP99: "acknowledged p99, ms"
        case .recoveryP50: "flowing again p50, ms"
        case .recoveryMax: "flowing again max, ms"
        case .notRecovered: "devices without flow"
        case .longestGap: "longest gap, ms"
        case .messageRate: "messages/s"
        case .lost: "lost"
        case .duplicates: "duplicates"
        case .unsent: "unsent"
        case .reconnects: "reconnects"
        case .sidecarCPU: "CPU sidecar, us/message"
        case .farEndCPU: "CPU far end, us/message"
        case .brokerCPU: "CPU broker, us/message"
        case .sidecarIdleCPU: "CPU sidecar, % of a core"
        case .farEndIdleCPU: "CPU far end, % of a core"
        case .brokerIdleCPU: "CPU broker, % of a core"
        case .sidecarMemory: "memory sidecar, KiB/device"
        case .farEndMemory: "memory far end, KiB/device"
        case .brokerMemory: "memory broker, KiB/device"
        case .packets: "packets/message"
        case .wireBytes: "bytes on the wire/message"
        case .sidecarTimers: "timer firings sidecar/message"
        case .farEndTimers: "timer firings far end/message"
        case .sidecarWakeUps: "wake-ups sidecar/message"
        case .farEndWakeUps: "wake-ups far end/message"
        case .sidecarSystemCalls: "system calls sidecar/message"
        case .farEndSystemCalls: "system calls far end/message"
        case .loadLag: "lag of the load, ms"
        }
    }

    /// Whether its ratio to HAProxy says anything about the paths.
    package var isCompared: Bool { self != .loadLag }

    // What the scenarios show.

    static let connecting: [Figure] = [.connectP50, .connectP95, .connectP99, .connectMax, .connectsRefused]
    static let latency: [Figure] = [.endToEndP50, .endToEndP95, .endToEndP99, .endToEndMax]
    static let carried: [Figure] = [.messageRate, .lost]
    static let cost: [Figure] = [
        .sidecarCPU, .farEndCPU, .brokerCPU, .packets, .wireBytes, .sidecarTimers, .farEndTimers, .sidecarWakeUps,
        .farEndWakeUps, .sidecarSystemCalls, .farEndSystemCalls, .loadLag,
    ]
    static let survival: [Figure] = [
        .recoveryP50, .recoveryMax, .notRecovered, .longestGap, .endToEndMax, .lost, .duplicates, .reconnects,
    ]
    static let idle: [Figure] = [
        .sidecarMemory, .farEndMemory, .brokerMemory, .sidecarIdleCPU, .farEndIdleCPU, .brokerIdleCPU,
    ]
}
