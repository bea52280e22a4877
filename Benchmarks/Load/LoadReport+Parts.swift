import Measurement

extension LoadReport {
    /// The distribution of a latency, in milliseconds. All but `count` are 0 if there is no sample.
    package struct Latency: Codable, Sendable, Equatable {
        package var count: Int
        package var p50: Double
        package var p95: Double
        package var p99: Double
        package var max: Double

        package init(count: Int = 0, p50: Double = 0, p95: Double = 0, p99: Double = 0, max: Double = 0) {
            self.count = count
            self.p50 = p50
            self.p95 = p95
            self.p99 = p99
            self.max = max
        }

        init(_ histogram: LatencyHistogram) {
            func milliseconds(_ nanoseconds: Int64) -> Double { (Double(nanoseconds) / 1e3).rounded() / 1e3 }
            self.init(
                count: histogram.count, p50: milliseconds(histogram.percentile(50)),
                p95: milliseconds(histogram.percentile(95)), p99: milliseconds(histogram.percentile(99)),
                max: milliseconds(histogram.max))
        }
    }

    /// What one process has used. Figures that could not be read, such as those of a process that has ended, are `nil`.
    package struct ProcessUse: Codable, Sendable, Equatable {
        package var name: String
        package var pid: Int32
        package var cpuMicroseconds: Double?
        /// Divided by the messages that arrived in the window.
        package var cpuMicrosecondsPerMessage: Double?
        /// The resident memory before the first device connected.
        package var residentBeforeKiB: Int?
        /// The same at the end of publishing, or idling.
        package var residentAfterKiB: Int?
        package var residentPerDeviceKiB: Double?
        /// Context switches of all threads, voluntary or not, divided by the messages that arrived in the window.
        package var wakeupsPerMessage: Double?

        enum CodingKeys: String, CodingKey {
            case name, pid
            case cpuMicroseconds = "cpu_microseconds"
            case cpuMicrosecondsPerMessage = "cpu_microseconds_per_message"
            case residentBeforeKiB = "resident_before_kib"
            case residentAfterKiB = "resident_after_kib"
            case residentPerDeviceKiB = "resident_per_device_kib"
            case wakeupsPerMessage = "wakeups_per_message"
        }
    }

    /// One minute of a long run.
    package struct Minute: Codable, Sendable, Equatable {
        /// 1 for the first. The last one may be shorter than a minute.
        package var minute: Int
        package var arrived: Int
        package var messagesPerSecond: Double
        package var endToEnd: Latency
        package var processes: [ProcessMinute]

        enum CodingKeys: String, CodingKey {
            case minute, arrived, processes
            case messagesPerSecond = "messages_per_second"
            case endToEnd = "end_to_end"
        }
    }

    /// What one process has used in one minute.
    package struct ProcessMinute: Codable, Sendable, Equatable {
        package var name: String
        package var cpuMicrosecondsPerMessage: Double?
        package var wakeupsPerMessage: Double?
        /// At the end of the minute.
        package var residentKiB: Int?

        enum CodingKeys: String, CodingKey {
            case name
            case cpuMicrosecondsPerMessage = "cpu_microseconds_per_message"
            case wakeupsPerMessage = "wakeups_per_message"
            case residentKiB = "resident_kib"
        }
    }
}
