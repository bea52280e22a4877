import BenchmarkLoad
import BenchmarkSuite
import Foundation
import NIOCore

/// One run: lets the devices work, makes the troubles, watches the programs, and writes the report.
///
/// Devices live on the event loop; everything here is on the thread that has started the programs.
final class EnduranceRun {
    private let options: EnduranceOptions
    private let stage: EnduranceStage
    private let folder: String
    private let stop: StopFlag
    private let eventLoop: any EventLoop
    private let maker: TroubleMaker
    private let schedule: TroubleSchedule
    private var leftOut: [String] = []
    private var watches: [String: Watch] = [:]
    private var starts: [String: Set<Int32>] = [:]
    private var programFaults = FaultList()
    /// Troubles that last by themselves: when they end, and where they are in the log.
    private var lasting: [(until: Double, index: Int, kind: Trouble.Kind)] = []
    private var nextSample = 0.0
    private var nextProgress = 60.0
    private var nextLook = 0.0
    private var loadEnded = 0.0

    private static let sampleInterval = 10.0
    /// How many samples of a program there are at most.
    private static let samples = 5000.0
    /// How many faults of a second are told at once.
    private static let shown = 10

    init(
        _ options: EnduranceOptions, _ stage: EnduranceStage, folder: String, whyLoopback: String?, stop: StopFlag,
        on eventLoop: any EventLoop
    ) {
        self.options = options
        self.stage = stage
        self.folder = folder
        self.stop = stop
        self.eventLoop = eventLoop
        maker = TroubleMaker(stage: stage, seed: options.seed)
        schedule = TroubleSchedule(
            seconds: options.seconds, seed: options.seed, hasLink: stage.network.isIsolated,
            groups: options.mappings.filter { $0 != .direct },
            kinds: options.troubles)
        if let whyLoopback { leftOut.append("delay, loss, outages and rebinds: \(whyLoopback)") }
    }

    func run() throws -> EnduranceReport {
        let population = try startPopulation()
        defer { keepLogs() }
        say("seed \(options.seed), \(schedule.entries.count) troubles, logs in \(folder)")
        lasting.append((TroubleSchedule.warmUp, population.begin(.start, nil), .start))
        var entries = schedule.entries[...]
        let end = options.seconds - TroubleSchedule.drain
        while !stop.isSet, population.now < end {
            if let entry = entries.first, population.now >= entry.at {
                entries.removeFirst()
                make(entry, population)
            }
            pause(population)
        }
        loadEnded = population.now
        population.perform { $0.stopPublishing() }
        try rest(population)
        return report(population)
    }

    /// Waits until everything has come to rest, twice as long as planned at most.
    private func rest(_ population: PopulationHandle) throws {
        let begin = population.now
        say("coming to rest")
        // Troubles that are still on end first, and a will may still be due.
        while population.now < begin + 2 * TroubleSchedule.drain {
            pause(population)
            if lasting.isEmpty, population.now > begin + 30, population.value({ $0.isAtRest }) { break }
        }
        population.perform { $0.readRetained() }
        Thread.sleep(forTimeInterval: 3)
        population.perform { $0.close(at: $0.accounts.now) }
    }

    private func startPopulation() throws -> PopulationHandle {
        let (network, ports) = (stage.network, stage.configurations.ports)
        typealias Place = Population.Places.Place
        let broker = Place(namespace: network.cloud.namespace, host: network.cloud.address, port: ports.broker)
        var groups = ports.bridges.mapValues {
            Place(namespace: network.edge.namespace, host: network.edge.address, port: $0)
        }
        groups[.direct] = Place(namespace: network.edge.namespace, host: network.cloud.address, port: ports.broker)
        let places = Population.Places(groups: groups, broker: broker)
        let slowness = options.seconds < 900 ? 20.0 : 60.0
        return try PopulationHandle(on: eventLoop) { [options, eventLoop] in
            let population = try Population(
                options.groups, places, seed: options.seed, slowness: slowness, on: eventLoop)
            population.start()
            return population
        }
    }

    // MARK: Troubles

    private func make(_ entry: TroubleSchedule.Entry, _ population: PopulationHandle) {
        let index = population.begin(entry.kind, entry.group)
        say("\(Int(population.now)) s: \(entry.kind.rawValue) \(entry.group?.rawValue ?? "")")
        do {
            let seconds = try maker.begin(entry)
            if seconds > 0 {
                lasting.append((population.now + seconds, index, entry.kind))
            } else {
                population.end(index)
            }
        } catch {
            population.end(index)
            fail(entry.kind.rawValue, "\(error)", population)
        }
    }

    private func endLasting(_ population: PopulationHandle) {
        let now = population.now
        for item in lasting where now >= item.until {
            do { try maker.end(item.kind) } catch { fail(item.kind.rawValue, "\(error)", population) }
            population.end(item.index)
        }
        lasting.removeAll { now >= $0.until }
    }

    // MARK: Watching

    private func pause(_ population: PopulationHandle) {
        Thread.sleep(forTimeInterval: 0.1)
        endLasting(population)
        for (program, group) in stage.programs {
            do {
                try program.check()
            } catch {
                fail(program.name, "\(error)", population, group)
                do { try program.start() } catch { fail(program.name, "\(error)", population, group) }
            }
        }
        let now = population.now
        if now >= nextSample {
            // A long run has fewer, so that their number has a bound.
            nextSample = now + max(Self.sampleInterval, options.seconds / Self.samples)
            for (program, group) in stage.programs { sample(program, group, population) }
        }
        if now >= nextLook {
            nextLook = now + 1
            let faults = population.value { $0.accounts.newFaults() }
            for fault in faults.prefix(Self.shown) { say("FAULT: \(fault.text)") }
            if faults.count > Self.shown { say("FAULT: ... and \(faults.count - Self.shown) more") }
        }
        if now >= nextProgress {
            nextProgress += 60
            say("\(Int(now)) s: \(population.value { $0.progress })")
        }
    }

    private func sample(_ program: Program, _ group: Group?, _ population: PopulationHandle) {
        guard let pid = program.pid else { return }
        let use = ProcessSample(pid: pid)
        var sample = Watch.Sample(time: population.now, pid: pid)
        sample.residentKiB = use.residentKiB
        sample.allocatedKiB = use.allocatedKiB
        sample.descriptors = use.descriptors
        sample.threads = use.threads
        sample.cpuMicroseconds = use.cpuMicroseconds
        sample.messages = population.value { $0.arrivals(group) }
        if group != nil { sample.timerFirings = program.timerFirings() }
        watches[program.name, default: Watch(program: program.name)].add(sample)
        starts[program.name, default: []].insert(pid)
    }

    private func fail(_ subject: String, _ detail: String, _ population: PopulationHandle, _ group: Group? = nil) {
        say("error: \(detail)")
        let time = population.now
        let troubles = population.value { $0.accounts.troubles.names(at: time, group ?? .direct) }
        programFaults.add(
            Fault(kind: .ended, group: group, subject: subject, time: time, troubles: troubles, detail: detail))
    }

    // MARK: The report

    private func report(_ population: PopulationHandle) -> EnduranceReport {
        var report = population.value { $0.report() }
        report.seed = options.seed
        report.devices = options.groups.count
        report.leftOut = leftOut
        var faults = programFaults
        if stop.isSet {
            report.leftOut.append(
                "the rest of the run, which was ended after \(Int(loadEnded)) of \(Int(options.seconds)) s")
        }
        let stalls = report.troubles.filter { $0.kind == .stall }.map { ($0.end ?? $0.begin) - $0.begin }
        if let longest = stalls.max() {
            report.leftOut.append(
                "what happened while the machine stalled: \(stalls.count) times, \(Int(stalls.reduce(0, +))) s in all, "
                    + "\(Int(longest)) s at most")
        }
        for name in stage.programs.map(\.program.name) {
            guard let watch = watches[name] else { continue }
            // The broker, which is started again until the end, is none of ours.
            let isOurs = name != "broker"
            let span =
                isOurs
                ? watch.span(settled: schedule.settled, end: loadEnded)
                : Watch.Span(begin: TroubleSchedule.warmUp, end: loadEnded, isJudged: false)
            if isOurs, !span.isJudged {
                report.leftOut.append(
                    "growth of \(name): \(Int(span.end - span.begin)) s of its last life were steady, and a verdict needs "
                        + "\(Int(Watch.shortest))")
            }
            let rows = watch.rows(span)
            report.programs.append(
                .init(name: name, starts: starts[name]?.count ?? 0, span: span, rows: rows, samples: watch.samples))
            for row in rows {
                guard let fault = row.fault else { continue }
                faults.add(
                    Fault(
                        kind: .grown, subject: "\(name): \(row.name)", time: loadEnded, detail: Self.growth(row, fault))
                )
            }
        }
        report.faults += faults.all
        for (kind, count) in faults.counts { report.faultCounts[kind.rawValue, default: 0] += count }
        return report
    }

    private static func growth(_ row: Watch.Row, _ fault: String) -> String {
        "from \(String(format: "%.1f", row.first)) to \(String(format: "%.1f", row.last)), \(fault)"
    }

    private func keepLogs() {
        guard let logs = options.logs else { return }
        try? FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name.hasSuffix(".log") {
            try? FileManager.default.removeItem(atPath: "\(logs)/\(name)")
            try? FileManager.default.copyItem(atPath: "\(folder)/\(name)", toPath: "\(logs)/\(name)")
        }
    }

    private func say(_ line: String) {
        FileHandle.standardError.write(Data("endure: \(line)\n".utf8))
    }
}
