import Foundation

/// Reads the text format of Prometheus 0.0.4 and takes nothing that the format does not allow. It is written from the
/// description of the format, and shares nothing with the code that writes it.
package struct StrictMetrics {
    package struct Series: Hashable {
        package var name: String
        /// Sorted by name.
        package var labels: [[String]]
    }

    package private(set) var types: [String: String] = [:]
    package private(set) var values: [Series: Double] = [:]
    private var family: String?
    /// Families that have ended: their lines must not go on.
    private var over: Set<String> = []

    package init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Fault("the last line has no end") }
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) { try read(String(line)) }
        try checkHistograms()
    }

    package func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        values[Series(name: name, labels: labels.sorted { $0.key < $1.key }.map { [$0.key, $0.value] })]
    }

    private mutating func read(_ line: String) throws {
        if let match = try /# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\]|\\\\|\\n)+)/.wholeMatch(in: line) {
            let name = String(match.1)
            if let family { over.insert(family) }
            guard !over.contains(name), types[name] == nil else { throw Fault("\(name) comes twice") }
            family = name
        } else if let match = try /# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)/.wholeMatch(in: line) {
            let name = String(match.1)
            guard family == name, types.updateValue(String(match.2), forKey: name) == nil else {
                throw Fault("\(name) has its type in the wrong place")
            }
        } else {
            try readSample(line)
        }
    }

    private mutating func readSample(_ line: String) throws {
        let number = /[+-]Inf|NaN|-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?/
        guard let match = try /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)/.wholeMatch(in: line),
            try number.wholeMatch(in: String(match.3)) != nil, let value = Double(match.3.replacing("Inf", with: "inf"))
        else { throw Fault("not a sample: \(line)") }
        let name = String(match.1)
        guard let family, let type = types[family] else { throw Fault("\(name) has no type") }
        let isOfFamily =
            type == "histogram"
            ? ["_bucket", "_sum", "_count"].contains { family + $0 == name } : family == name
        guard isOfFamily else { throw Fault("\(name) is not of \(family)") }
        if type == "counter" {
            guard name.hasSuffix("_total"), value >= 0 else { throw Fault("\(name) is not a counter's") }
        }
        let series = Series(name: name, labels: try match.2.map { try labels(String($0)) } ?? [])
        guard values.updateValue(value, forKey: series) == nil else { throw Fault("\(series) comes twice") }
    }

    private func labels(_ text: String) throws -> [[String]] {
        var labels: [[String]] = []
        var rest = text[...]
        while !rest.isEmpty {
            guard let match = try /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\\\|\\"|\\n)*)"(,|$)/.prefixMatch(in: rest)
            else {
                throw Fault("not labels: \(text)")
            }
            labels.append([String(match.1), String(match.2)])
            rest = rest[match.range.upperBound...]
            if rest.isEmpty, match.3 == "," { throw Fault("a comma too many: \(text)") }
        }
        guard Set(labels.map { $0[0] }).count == labels.count else { throw Fault("a label comes twice: \(text)") }
        return labels.sorted { $0[0] < $1[0] }
    }

    /// Buckets grow, end with `+Inf`, which is the count, and there is a sum.
    private func checkHistograms() throws {
        for (name, type) in types where type == "histogram" {
            let buckets = values.filter { $0.key.name == name + "_bucket" }
            let groups = Dictionary(grouping: buckets) { $0.key.labels.filter { $0[0] != "le" } }
            guard !groups.isEmpty else { throw Fault("\(name) has no buckets") }
            for (labels, group) in groups {
                let steps = group.map { (limit: Self.limit($0.key), count: $0.value) }.sorted { $0.limit < $1.limit }
                guard zip(steps, steps.dropFirst()).allSatisfy({ $0.count <= $1.count }),
                    steps.last?.limit == .infinity,
                    values[Series(name: name + "_count", labels: labels)] == steps.last?.count,
                    values[Series(name: name + "_sum", labels: labels)] != nil
                else { throw Fault("\(name) \(labels) is not a histogram") }
            }
        }
    }

    private static func limit(_ series: Series) -> Double {
        series.labels.first { $0[0] == "le" }.flatMap { Double($0[1].replacing("Inf", with: "inf")) } ?? .nan
    }

    package struct Fault: Error, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }
}
