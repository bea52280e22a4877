import BenchmarkSuite
import Foundation

/// What a run has shown.
package struct EnduranceReport: Sendable, Codable {
    package struct Messages: Sendable, Codable {
        package let group: Group
        package let kind: String
        package let counts: MessageLedger.Counts
    }

    package struct Lives: Sendable, Codable {
        package let group: Group
        package let counts: LifeLedger.Counts
    }

    package struct Program: Sendable, Codable {
        package let name: String
        package let starts: Int
        /// What the thirds are thirds of.
        package let span: Watch.Span
        package let rows: [Watch.Row]
        package let samples: [Watch.Sample]
    }

    package struct Excused: Sendable, Codable {
        package let group: Group
        package let what: String
        package let reason: String
        package let count: Int
    }

    package struct Calm: Sendable, Codable {
        package let group: Group
        /// How long there was no trouble that excuses anything.
        package let seconds: Double
    }

    package struct Happened: Sendable, Codable {
        package let kind: Trouble.Kind
        package let group: Group?
        package let begin: Double
        package let end: Double?
    }

    package var seed: UInt64 = 0
    package var devices = 0
    /// How long the run has lasted, in seconds.
    package var seconds = 0.0
    /// What could not be done here, and why.
    package var leftOut: [String] = []
    package var messages: [Messages] = []
    package var lives: [Lives] = []
    package var programs: [Program] = []
    package var excused: [Excused] = []
    package var calm: [Calm] = []
    package var troubles: [Happened] = []
    package var faults: [Fault] = []
    /// Of each kind, also those that are not in `faults`.
    package var faultCounts: [String: Int] = [:]

    package init() {}

    package var isFaultless: Bool { faultCounts.isEmpty }

    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(self)
    }

    // MARK: Text

    /// How many faults of a kind the text shows.
    private static let shown = 40

    package var text: String {
        var parts = ["\(devices) devices, \(Int(seconds)) s, seed \(seed)", messageTable, lifeTable, programTable]
        parts += [excuseTable, troubleList]
        if !leftOut.isEmpty { parts.append(leftOut.map { "left out: \($0)" }.joined(separator: "\n")) }
        parts.append(faultList)
        return parts.joined(separator: "\n\n")
    }

    private var messageTable: String {
        var table = TextTable(header: [
            "messages", "sent", "acknowledged", "arrived", "repeated", "excused", "lost", "doubled", "out of order",
        ])
        for row in messages {
            let counts = row.counts
            let cells = [
                counts.sent, counts.acknowledged, counts.arrived, counts.repeated, counts.excused, counts.lost,
                counts.doubled, counts.outOfOrder,
            ]
            table.add(["\(row.group.rawValue) \(row.kind)"] + cells.map(String.init))
        }
        return table.text
    }

    private var lifeTable: String {
        var table = TextTable(header: [
            "devices", "connected", "goodbyes", "vanished", "taken over", "closed", "wills", "online again",
        ])
        for row in lives {
            let counts = row.counts
            let cells = [
                counts.connected, counts.goodbyes, counts.vanished, counts.takenOver, counts.closed, counts.wills,
                counts.restored,
            ]
            table.add([row.group.rawValue] + cells.map(String.init))
        }
        return table.text
    }

    private var programTable: String {
        var table = TextTable(header: ["programs", "first third", "second", "last", "highest"])
        for program in programs {
            for row in program.rows {
                let cells = [row.first, row.middle, row.last, row.highest].map { String(format: "%.1f", $0) }
                table.add(["\(program.name): \(row.name)"] + cells)
            }
        }
        let spans = programs.map {
            "\($0.name): thirds of \(Int($0.span.begin)) to \(Int($0.span.end)) s"
                + ($0.span.isJudged ? "" : ", not judged")
        }
        return table.text + "\n\n" + spans.joined(separator: "\n")
    }

    private var troubleList: String {
        let lines = troubles.map { trouble in
            let length = trouble.end.map { " for \(String(format: "%.1f", $0 - trouble.begin)) s" } ?? ""
            return "  \(Int(trouble.begin)) s: \(trouble.kind.rawValue)"
                + (trouble.group.map { " (\($0.rawValue))" } ?? "") + length
        }
        return (["\(troubles.count) troubles"] + lines).joined(separator: "\n")
    }

    private var faultList: String {
        guard !isFaultless else { return "no faults" }
        var lines = faultCounts.sorted { $0.key < $1.key }.map { "FAULTS: \($0.key): \($0.value)" }
        for (_, faults) in Dictionary(grouping: faults, by: \.kind).sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            lines += faults.prefix(Self.shown).map { "  \($0.text)" }
            if faults.count > Self.shown { lines.append("  ... and \(faults.count - Self.shown) more of this kind") }
        }
        return lines.joined(separator: "\n")
    }
}
