/// A text with `%i` for the number of the device, from 1, `%p` for this process and `%%` for a percent sign.
struct BenchPattern: Sendable, Equatable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    /// Whether devices get different texts.
    var isPerDevice: Bool { expanded("\u{0}", "").contains("\u{0}") }

    func text(of device: Int, process: Int32) -> String { expanded("\(device)", "\(process)") }

    private func expanded(_ device: String, _ process: String) -> String {
        var result = ""
        var rest = text[...]
        while let percent = rest.firstIndex(of: "%") {
            result += rest[..<percent]
            let after = rest.index(after: percent)
            guard after < rest.endIndex else { return result + "%" }
            switch rest[after] {
            case "i": result += device
            case "p": result += process
            case "%": result += "%"
            default: result += rest[percent...after]
            }
            rest = rest[rest.index(after: after)...]
        }
        return result + rest
    }

    /// The filter for the topics of all devices of this process: levels that differ are wildcards.
    func filter(process: Int32) -> String {
        text.split(separator: "/", omittingEmptySubsequences: false)
            .map { level in
                let level = BenchPattern(String(level))
                return level.isPerDevice ? "+" : level.text(of: 0, process: process)
            }
            .joined(separator: "/")
    }
}
