import MQTTCodec

extension LoadOptions {
    /// Payloads have at least the stamp that the receiving end reads.
    package static let payloadLengths = Stamp.length...16_777_216

    /// - Throws: `LoadError.option` for the first option that cannot be used.
    package func check() throws(LoadError) {
        try check(devices, in: 1...100_000, "devices")
        try check(payloadLength, in: Self.payloadLengths, "payload")
        guard qos != .exactlyOnce else { throw .option("qos: QoS 2 is not supported, use 0 or 1") }
        try check(seconds, in: 0.1...86_400, "seconds")
        guard warmUpSeconds >= 0, warmUpSeconds < seconds else {
            throw .option("warm-up: \(warmUpSeconds) s is not within the \(seconds) s of the run, use less")
        }
        try check(drainSeconds, in: 0...600, "drain")
        try check(connectRate, in: 0...1_000_000, "connect-rate")
        try check(connectSeconds, in: 1...3600, "connect-seconds")
        try check(commandRate, in: 0...100_000, "commands")
        try check(reconnectSeconds, in: 0.01...3600, "reconnect")
        if let notBefore { try check(notBefore, in: 0...1e9, "not-before") }
        if let mark {
            guard mark >= 0, mark < seconds else {
                throw .option("mark: \(mark) s is not within the \(seconds) s of the run")
            }
            guard case .steady = traffic else {
                throw .option("mark: it needs devices that publish at a steady rate, so use it with rate")
            }
        }
        try checkTraffic()
        guard !topic.isEmpty, topic.utf8.count <= 64, !topic.contains(where: { "#+/".contains($0) }) else {
            throw .option("topic: '\(topic)' is not one level of 1 to 64 bytes without wildcards")
        }
        guard password == nil || username != nil else { throw .option("password: it needs a username") }
        guard processes.count <= 16 else { throw .option("process: \(processes.count) are more than 16") }
    }

    private func checkTraffic() throws(LoadError) {
        switch traffic {
        case .steady(let rate):
            try check(rate, in: 0.001...100_000, "rate")
        case .saturation(let window):
            try check(window, in: 1...UnacknowledgedMessages.limit, "saturate")
        case .fanOut(let rate):
            try check(rate, in: 0.001...100_000, "fan-out")
            guard commandRate == 0 else { throw .option("commands: they cannot be combined with fan-out") }
        case .idle:
            guard commandRate == 0 else { throw .option("commands: they cannot be combined with idle") }
        }
    }

    private func check<Value: Comparable>(
        _ value: Value, in range: ClosedRange<Value>, _ name: String
    ) throws(LoadError) {
        guard range.contains(value) else {
            throw .option("\(name): \(value) is not within \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
