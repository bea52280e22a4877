import BridgeCore

/// The text format of Prometheus, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
///
/// Whatever the families are, the text is valid: names are made of the letters that are allowed, a name and a series
/// occur once, and everything is in the same order each time.
enum MetricsText {
    static func render(_ families: [MetricFamily]) -> String {
        var text = ""
        var known: Set<String> = []
        for family in families.sorted(by: { $0.name < $1.name }) {
            let name = Self.name(family.name)
            guard Self.names(of: family.kind, name).allSatisfy({ !known.contains($0) }) else { continue }
            known.formUnion(Self.names(of: family.kind, name))
            append(family, name, to: &text)
        }
        return text
    }

    /// The names that the series of a family have.
    private static func names(of kind: MetricFamily.Kind, _ name: String) -> [String] {
        kind == .histogram ? [name, name + "_bucket", name + "_sum", name + "_count"] : [name]
    }

    private static func append(_ family: MetricFamily, _ name: String, to text: inout String) {
        text += "# HELP \(name) \(escaped(family.help, quotes: false))\n# TYPE \(name) \(family.kind.rawValue)\n"
        var series: [(labels: String, value: MetricFamily.Value)] = []
        for sample in family.samples { series.append((labels(sample.labels), sample.value)) }
        var last: String?
        for (labels, value) in series.sorted(by: { $0.labels < $1.labels }) where labels != last {
            last = labels
            switch (value, family.kind) {
            case (.number(let number), .counter), (.number(let number), .gauge):
                text += "\(name)\(braced(labels)) \(Self.number(number))\n"
            case (.histogram(let histogram), .histogram):
                append(histogram, name, labels, to: &text)
            case (.number, .histogram), (.histogram, _):
                continue
            }
        }
    }

    private static func append(_ histogram: DurationHistogram, _ name: String, _ labels: String, to text: inout String)
    {
        let prefix = labels.isEmpty ? "" : labels + ","
        var count: UInt64 = 0
        for (limit, more) in zip(DurationHistogram.limits, histogram.counts) {
            count += more
            text += "\(name)_bucket{\(prefix)le=\"\(number(limit))\"} \(count)\n"
        }
        text += "\(name)_bucket{\(prefix)le=\"+Inf\"} \(histogram.count)\n"
        text += "\(name)_sum\(braced(labels)) \(number(histogram.sum))\n"
        text += "\(name)_count\(braced(labels)) \(histogram.count)\n"
    }

    // MARK: - Parts of a line

    /// Sorted by name; of labels of one name the first counts. `le` belongs to the buckets.
    private static func labels(_ labels: [MetricFamily.Label]) -> String {
        var known: Set<String> = ["le"]
        let unique = labels.map { (labelName($0.name), $0.value) }.filter { known.insert($0.0).inserted }
        return unique.sorted { $0.0 < $1.0 }.map { "\($0)=\"\(escaped($1, quotes: true))\"" }.joined(separator: ",")
    }

    private static func braced(_ labels: String) -> String {
        labels.isEmpty ? "" : "{\(labels)}"
    }

    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
    static func name(_ text: String) -> String {
        String(text.map { isLetter($0) || $0.isASCII && $0.isNumber || $0 == ":" ? $0 : "_" }.leadingDigitEscaped())
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`, and not with two underscores in front, which are Prometheus's own.
    private static func labelName(_ text: String) -> String {
        let name = String(text.map { isLetter($0) || $0.isASCII && $0.isNumber ? $0 : "_" }.leadingDigitEscaped())
        return name.hasPrefix("__") ? "label" + name : name
    }

    private static func isLetter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character == "_")
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Whole numbers without a point, as far as a `Double` has them exactly.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value.rounded() == value, abs(value) < 9_007_199_254_740_992 { return "\(Int64(value))" }
        return "\(value)"
    }
}

extension [Character] {
    fileprivate func leadingDigitEscaped() -> [Character] {
        guard let first, !first.isNumber else { return ["_"] + self }
        return self
    }
}
