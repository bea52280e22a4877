/// What the admin endpoint sees and does of the running program; `run` and `serve` each have one.
///
/// Every call may be made from any task. Each takes a bounded time on an event loop per turn, however many devices there
/// are, so that watching the program does not slow it down.
package protocol MonitoredService: Sendable {
    /// What `/api/status` answers.
    func status() async -> StatusReport

    /// Totals since the start, from which rates are computed.
    func sample() async -> TrafficSample

    /// Every family of metrics, for `/metrics`.
    func metrics() async -> [MetricFamily]

    /// Whether every event loop turns. Answers within a few seconds even if one of them does not.
    func liveness() async -> ServiceState

    /// Whether a device that came now would reach the broker, as far as that is known.
    func readiness() async -> ServiceState

    /// One page of the devices that match.
    func devices(_ query: DeviceQuery) async -> DevicePage

    /// Everything that is known about one device; `nil` if there is no such device any more.
    func device(_ id: DeviceID) async -> DeviceDetail?

    /// Ends the session of one device: 5.0 devices are told why (0x98, [MQTT5 3.14.2.1]). Returns `false` if there is no
    /// such device any more.
    func disconnect(_ id: DeviceID) async -> Bool

    /// Takes no new devices from now on, and ends the program when the last one has left, or after `limit`. Returns once
    /// that is so and ``status()`` says it; `false` if the service is starting or ending, and nothing happens.
    @discardableResult
    func drain(within limit: Duration?) async -> Bool
}

/// The answer to a health check.
package struct ServiceState: Codable, Sendable, Equatable {
    /// Whether everything is as it should be.
    package var ok: Bool
    /// What is the matter, or what the answer rests on: a sentence for an operator. What anybody may know comes first;
    /// addresses, and reasons that may contain some, follow a colon.
    package var detail: String

    /// The part of `detail` that anybody may know.
    package var summary: String { detail.firstIndex(of: ":").map { String(detail[..<$0]) } ?? detail }

    package init(ok: Bool, detail: String) {
        self.ok = ok
        self.detail = detail
    }
}
