/// Counters of one path at one moment, of which only differences mean something.
struct Sample {
    let at = ContinuousClock.now
    var sidecarTimers: Int?
    var farEndTimers: Int?
    var wire: InterfaceCounters?

    /// - Parameter countsWire: whether only this path's packets pass the link.
    init(_ lane: Stage.Lane, countsWire: Bool) {
        if case .bridge = lane.path.sidecar { sidecarTimers = lane.sidecar.timerFirings() }
        if lane.path.farEnd == .serve { farEndTimers = lane.farEnd?.timerFirings() }
        if countsWire, let pid = lane.sidecar.pid { wire = InterfaceCounters.ofNamespace(with: pid) }
    }

    /// What has happened from `start` to this sample, for each of the messages, whose number follows from their rate.
    func figures(since start: Sample, messagesPerSecond: Double) -> Figures {
        let messages = (at - start.at).inSeconds * messagesPerSecond
        guard messages > 0 else { return Figures() }
        func share(_ now: Int?, _ before: Int?) -> Double? {
            guard let now, let before, now >= before else { return nil }
            return Double(now - before) / messages
        }
        var result = Figures()
        result[.sidecarTimers] = share(sidecarTimers, start.sidecarTimers)
        result[.farEndTimers] = share(farEndTimers, start.farEndTimers)
        result[.packets] = share(wire?.packets, start.wire?.packets)
        result[.wireBytes] = share(wire?.bytes, start.wire?.bytes)
        return result
    }
}

extension Duration {
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
