import BenchmarkEndurance
import Testing

struct EnduranceModelTests {
    @Test("The shortest run has each kind of trouble, and a long one has many", arguments: [1, 2, 3] as [UInt64])
    func schedule(seed: UInt64) {
        let short = TroubleSchedule(seconds: TroubleSchedule.shortest, seed: seed, hasLink: true)
        #expect(Set(short.entries.map(\.kind)) == Set(Trouble.Kind.scheduled))
        let long = TroubleSchedule(seconds: 3600, seed: seed, hasLink: true)
        for kind in Trouble.Kind.scheduled { #expect(long.entries.count { $0.kind == kind } > 2, "\(kind)") }
        #expect(long.entries == TroubleSchedule(seconds: 3600, seed: seed, hasLink: true).entries)
        #expect(long.entries.allSatisfy { $0.at < 3600 - TroubleSchedule.drain })
        let restarts: Set<Trouble.Kind> = [.bridgeKill, .bridgeRestart, .serveKill, .serveRestart]
        #expect(long.entries.allSatisfy { !restarts.contains($0.kind) || $0.at <= long.settled })
    }

    @Test("Without a link there is no trouble that needs one")
    func withoutLink() {
        let kinds = Set(TroubleSchedule(seconds: 600, seed: 1, hasLink: false).entries.map(\.kind))
        #expect(kinds.isDisjoint(with: [.outage, .rebind, .lossBurst]))
        #expect(kinds.contains(.brokerRestart))
    }

    @Test("Without a bridge there is no trouble of one")
    func withoutBridge() {
        let kinds = Set(TroubleSchedule(seconds: 600, seed: 1, hasLink: true, groups: []).entries.map(\.kind))
        #expect(kinds == [.outage, .rebind, .lossBurst, .brokerRestart])
    }

    @Test("A program that grows is found, and one that varies is not")
    func growth() {
        func watch(_ kibibytes: (Int) -> Int) -> [Watch.Row] {
            var watch = Watch(program: "bridge")
            for index in 0..<60 {
                var sample = Watch.Sample(time: Double(index) * 10, pid: 7)
                sample.residentKiB = kibibytes(index)
                sample.descriptors = 500 + index
                sample.timerFirings = index * index
                watch.add(sample)
            }
            return watch.rows(.init(begin: 0, end: 600, isJudged: true))
        }
        #expect(watch { 100_000 + $0 % 10 * 1000 }.filter { $0.fault != nil }.isEmpty)
        let grown = watch { 100_000 + $0 * 1000 }.filter { $0.fault != nil }
        #expect(grown.map(\.name) == ["memory, MiB"])
        // A fifth of the first third's level, steadily: less than the allowance.
        let slow = watch { 30_000 + $0 * 150 }.filter { $0.fault != nil }
        #expect(slow.map(\.name) == ["memory, MiB"])
        #expect(slow.first?.fault?.hasPrefix("more in each third") == true)
        // A small program that becomes warm.
        #expect(watch { 11_000 + $0 * 40 }.filter { $0.fault != nil }.isEmpty)
        // What is taken once stays.
        #expect(watch { $0 < 15 ? 50_000 : 57_000 }.filter { $0.fault != nil }.isEmpty)
        #expect(watch { $0 < 15 ? 50_000 : 70_000 }.map(\.fault).first == "more than 61")
    }

    @Test("The last life of a program is judged if it was long enough, also if the run has ended early")
    func span() {
        var watch = Watch(program: "bridge")
        for index in 0..<100 { watch.add(.init(time: Double(index) * 10, pid: index < 50 ? 7 : 8)) }
        #expect(watch.span(settled: 600, end: 1000) == .init(begin: 660, end: 1000, isJudged: true))
        #expect(watch.span(settled: 900, end: 1000) == .init(begin: 560, end: 1000, isJudged: true))
        #expect(watch.span(settled: 900, end: 850) == .init(begin: 560, end: 850, isJudged: false))
        #expect(watch.span(settled: 0, end: 520) == .init(begin: 520, end: 520, isJudged: false))
        var sample = Watch.Sample(time: 990, pid: 8)
        sample.residentKiB = 1
        watch.add(sample)
        #expect(watch.rows(.init(begin: 520, end: 520, isJudged: false)).isEmpty)
    }

    @Test("A client sends again in order what was not acknowledged")
    func resends() {
        var state = ClientState()
        for number in 0..<3 { state.enqueue(Message(StreamID(device: 1, purpose: .up2), number)) }
        let identifiers: [UInt16] = (0..<3).compactMap { _ in
            guard case .publish(_, let packetID, false) = state.next() else { return nil }
            return packetID
        }
        #expect(identifiers == [1, 2, 3])
        let release = state.recorded(1)
        #expect(release == .release(packetID: 1))
        let (outputs, abandoned) = state.connected(isResumed: true)
        #expect(outputs == [.release(packetID: 1)])
        #expect(abandoned.isEmpty)
        guard case .publish(let message, 2, true) = state.next() else {
            Issue.record("not sent again")
            return
        }
        #expect(message.sequence == 1)
        let finished = state.finished(1)
        #expect(finished?.sequence == 0)
        let lost = state.connected(isResumed: false).abandoned
        #expect(lost.map(\.sequence) == [1, 2])
        #expect(state.count == 0)
    }

    @Test("Options that make no sense are refused with what would be right")
    func options() {
        func error(
            hours: Double = 1, devices: Int = 100, mappings: [String] = [], troubles: [String] = []
        ) -> String? {
            do {
                _ = try EnduranceOptions(
                    hours: hours, devices: devices, seed: 1, mappings: mappings, troubles: troubles, root: ".")
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(error() == nil)
        #expect(error(hours: 0.01)?.contains("not within 0.067 to 168") == true)
        #expect(error(hours: .nan)?.contains("HOURS") == true)
        #expect(error(devices: 3)?.contains("20 to 20000") == true)
        #expect(error(mappings: ["data-stream"])?.contains("none of connection, mux and direct") == true)
        #expect(error(troubles: ["outage", "flood"])?.contains("'flood' is none of 'outage', 'rebind'") == true)
    }
}
