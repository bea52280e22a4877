extension LoadReport {
    enum CodingKeys: String, CodingKey {
        case devices, rate, seconds
        case windowSeconds = "window_seconds"
        case connect
        case connectsRefused = "connects_refused"
        case endToEnd = "end_to_end"
        case acknowledged, commands, recovery
        case notRecovered = "not_recovered"
        case offered, arrived, lost, duplicates, unsent, resent, reconnects
        case messagesPerSecond = "messages_per_second"
        case longestGapMilliseconds = "longest_gap_ms"
        case loadLagMilliseconds = "load_lag_ms"
        case loadCPUMicrosecondsPerMessage = "load_cpu_microseconds_per_message"
        case processes, minutes
    }

    /// Writes all keys in any case: what was not measured is `null`.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(devices, forKey: .devices)
        try container.encode(rate, forKey: .rate)
        try container.encode(seconds, forKey: .seconds)
        try container.encode(windowSeconds, forKey: .windowSeconds)
        try container.encode(connect, forKey: .connect)
        try container.encode(connectsRefused, forKey: .connectsRefused)
        try container.encode(endToEnd, forKey: .endToEnd)
        try container.encode(acknowledged, forKey: .acknowledged)
        try container.encode(commands, forKey: .commands)
        try container.encode(recovery, forKey: .recovery)
        try container.encode(notRecovered, forKey: .notRecovered)
        try container.encode(offered, forKey: .offered)
        try container.encode(arrived, forKey: .arrived)
        try container.encode(lost, forKey: .lost)
        try container.encode(duplicates, forKey: .duplicates)
        try container.encode(unsent, forKey: .unsent)
        try container.encode(resent, forKey: .resent)
        try container.encode(reconnects, forKey: .reconnects)
        try container.encode(messagesPerSecond, forKey: .messagesPerSecond)
        try container.encode(longestGapMilliseconds, forKey: .longestGapMilliseconds)
        try container.encode(loadLagMilliseconds, forKey: .loadLagMilliseconds)
        try container.encode(loadCPUMicrosecondsPerMessage, forKey: .loadCPUMicrosecondsPerMessage)
        try container.encode(processes, forKey: .processes)
        try container.encode(minutes, forKey: .minutes)
    }
}

extension LoadReport.ProcessUse {
    /// Writes all keys in any case: what could not be read is `null`.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(pid, forKey: .pid)
        try container.encode(cpuMicroseconds, forKey: .cpuMicroseconds)
        try container.encode(cpuMicrosecondsPerMessage, forKey: .cpuMicrosecondsPerMessage)
        try container.encode(residentBeforeKiB, forKey: .residentBeforeKiB)
        try container.encode(residentAfterKiB, forKey: .residentAfterKiB)
        try container.encode(residentPerDeviceKiB, forKey: .residentPerDeviceKiB)
        try container.encode(wakeupsPerMessage, forKey: .wakeupsPerMessage)
    }
}

extension LoadReport.ProcessMinute {
    /// Writes all keys in any case: what could not be read is `null`.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(cpuMicrosecondsPerMessage, forKey: .cpuMicrosecondsPerMessage)
        try container.encode(wakeupsPerMessage, forKey: .wakeupsPerMessage)
        try container.encode(residentKiB, forKey: .residentKiB)
    }
}
