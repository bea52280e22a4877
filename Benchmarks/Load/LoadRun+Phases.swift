import NIOCore

/// What happens at each tick.
extension LoadRun {
    /// How many devices open their connections before others' answers are read.
    private static let connectBatch = 16
    /// The least time between two ticks, in nanoseconds. At more than 5,000 messages per second, a tick serves several.
    private static let tickSpacing: Int64 = 200_000
    /// How long the devices rest between their connecting and the first message, in nanoseconds.
    private static let settling = Clock.second / 2

    /// The tick timer has fired.
    func ticked() {
        let now = Clock.now
        switch phase {
        case .waiting, .ended:
            break
        case .connecting(let since, let next):
            connectDevices(since: since, next: next, at: now)
        case .settling(let until):
            if now < until { tick(at: until) } else { beginPublishing() }
        case .publishing:
            publishDue(at: now)
        case .draining(let until):
            if now >= until || hasArrived { finish() } else { tick(at: now + Clock.second / 200) }
        }
    }

    private func connectDevices(since: Int64, next: Int, at now: Int64) {
        var next = next
        let last = min(devices.count, next + Self.connectBatch)
        while next < last, connectTime(next, since) <= now {
            devices[next].connect()
            next += 1
        }
        if next == devices.count, readyDevices == devices.count {
            let start = max(now + Self.settling, Clock.nanoseconds(options.notBefore ?? 0))
            phase = .settling(until: start)
            return tick(at: start)
        }
        phase = .connecting(since: since, next: next)
        if next < devices.count { return tick(at: max(now, connectTime(next, since))) }
        guard now < connectTime(next, since) + Clock.nanoseconds(options.connectSeconds) else {
            return fail(.notConnected(devices: devices.count - readyDevices, of: devices.count))
        }
        tick(at: now + Clock.second / 100)
    }

    /// When a device is to open its connection, in nanoseconds.
    private func connectTime(_ device: Int, _ since: Int64) -> Int64 {
        options.connectRate > 0 ? since + Clock.nanoseconds(Double(device) / options.connectRate) : since
    }

    private func beginPublishing() {
        let start = Clock.now
        publishing = start..<start + Clock.nanoseconds(options.seconds)
        window = start + Clock.nanoseconds(options.warmUpSeconds)..<publishing.upperBound
        switch options.traffic {
        case .steady(let rate):
            var generator = SystemRandomNumberGenerator()
            schedule = PublishSchedule(devices: devices.count, rate: rate, start: start, using: &generator)
            if options.commandRate > 0 { nextPublish = start }
        case .saturation:
            if options.commandRate > 0 { nextPublish = start }
        case .fanOut:
            nextPublish = start
        case .idle:
            break
        }
        phase = .publishing
        onPublishing()
        ticked()
    }

    private func publishDue(at now: Int64) {
        if let boundary = nextBoundary, now >= boundary { passBoundary(at: now) }
        // A process that did not run for a while may be past the end, and still has to send what was due before it.
        let latest = min(now, publishing.upperBound - 1)
        while let due = schedule?.nextDue, due <= latest, let next = schedule?.next() {
            tally.lag.record(now - due)
            let device = devices[next.device]
            device.publish(due: next.due)
            device.flush()
        }
        while let due = nextPublish, due <= latest {
            if case .fanOut = options.traffic { tally.offered += devices.count }
            publisher.publish(due: due)
            nextPublish = publishing.lowerBound + Clock.nanoseconds(Double(publisher.published) / publisherRate)
            if schedule == nil { tally.lag.record(now - due) }
        }
        guard now < publishing.upperBound else {
            phase = .draining(until: now + Clock.nanoseconds(options.drainSeconds))
            return ticked()
        }
        let wasBusy = saturate(at: now)
        var next = min(nextBoundary ?? .max, schedule?.nextDue ?? .max, nextPublish ?? .max)
        if let wasBusy {
            // At QoS 1, acknowledgements have the devices publish.
            let rest = options.qos == .atLeastOnce ? Clock.second / 10 : Clock.second / 1000
            next = min(next, wasBusy ? now : now + rest)
        } else {
            next = max(next, now + Self.tickSpacing)
        }
        tick(at: min(next, publishing.upperBound))
    }

    private var publisherRate: Double {
        if case .fanOut(let rate) = options.traffic { rate } else { options.commandRate }
    }

    /// - Returns: `nil` if devices do not publish as fast as they can, else whether any of them has published.
    private func saturate(at now: Int64) -> Bool? {
        guard let window = saturationWindow else { return nil }
        var wasBusy = false
        for device in devices where device.saturate(window: window) { wasBusy = true }
        return wasBusy
    }

    /// Whether figures are kept for each minute of the window.
    private var isLong: Bool { window.upperBound - window.lowerBound >= 2 * 60 * Clock.second }

    /// When figures are read next: at the beginning and end of the window, and after each minute of a long one.
    private var nextBoundary: Int64? {
        guard let last = use.last else { return window.lowerBound }
        guard last < window.upperBound else { return nil }
        guard isLong else { return window.upperBound }
        return min(window.lowerBound + Int64(use.minutes.count + 1) * 60 * Clock.second, window.upperBound)
    }

    private func passBoundary(at now: Int64) {
        use.sample(at: now, as: use.last != nil && isLong ? tally.takeMinute() : nil)
    }

    /// Whether nothing is under way any more.
    private var hasArrived: Bool {
        guard tally.arrived + tally.unsent >= tally.offered else { return false }
        if case .fanOut = options.traffic { return true }
        return options.qos == .atMostOnce || tally.acknowledgements + tally.unsent >= tally.offered
    }

    private func finish() {
        end()
        promise.succeed(report())
    }
}
