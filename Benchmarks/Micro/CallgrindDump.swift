/// What Callgrind has written when a measured section ended.
package enum CallgrindDump {
    /// The number of instructions in it; `nil` if the text has none.
    package static func instructions(in text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix("totals:") || line.hasPrefix("summary:") {
            if let field = line.split(separator: " ").dropFirst().first, let count = Int(field) { return count }
        }
        return nil
    }
}
