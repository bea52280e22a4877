/// Turns text into values. Each function reports a text that is not such a value, and returns `nil` for it.
struct ValueReader {
    let diagnostics: Diagnostics

    func integer(_ setting: Setting, _ key: String, in range: ClosedRange<Int>, _ what: String) -> Int? {
        let wanted = "\(what) is a whole number from \(range.lowerBound) to \(range.upperBound)"
        let digits = setting.text.hasPrefix("-") ? setting.text.dropFirst() : setting.text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            diagnostics.error(setting.origin, key, "\(quoted(setting.text)) is not a number; \(wanted)")
            return nil
        }
        guard let value = Int(setting.text), range.contains(value) else {
            diagnostics.error(setting.origin, key, "\(shortened(setting.text)) is out of range; \(wanted)")
            return nil
        }
        return value
    }

    /// - Parameter word: A word that is allowed instead of a duration.
    func duration(
        _ setting: Setting, _ key: String, in range: ClosedRange<Duration>, besides word: String? = nil
    ) -> Duration? {
        let times = "from \(DurationValue.render(range.lowerBound)) to \(DurationValue.render(range.upperBound))"
        let limits = word.map { "\(times), or \($0)" } ?? times
        let advice = "write a time such as 5s, 500ms, 2m or 1h, \(limits); a bare number counts seconds"
        return measure(setting, key, in: range, limits, DurationValue.parse, "is not a time; \(advice)")
    }

    /// A size in bytes.
    func size(_ setting: Setting, _ key: String, in range: ClosedRange<Int>) -> Int? {
        let limits = "from \(SizeValue.render(range.lowerBound)) to \(SizeValue.render(range.upperBound))"
        let advice = "write a size such as 10MB or 256KiB, \(limits); a bare number counts bytes"
        return measure(setting, key, in: range, limits, SizeValue.parse, "is not a size; \(advice)")
    }

    private func measure<Value>(
        _ setting: Setting, _ key: String, in range: ClosedRange<Value>, _ limits: String,
        _ parse: (String) -> Value?, _ problem: String
    ) -> Value? {
        guard let value = parse(setting.text) else {
            diagnostics.error(setting.origin, key, "\(quoted(setting.text)) \(problem)")
            return nil
        }
        guard range.contains(value) else {
            let message = "\(shortened(setting.text)) is out of range; write a value \(limits)"
            diagnostics.error(setting.origin, key, message)
            return nil
        }
        return value
    }

    func choice<Choice>(_ setting: Setting, _ key: String, _: Choice.Type = Choice.self) -> Choice?
    where Choice: CaseIterable & RawRepresentable<String> {
        if let value = Choice(rawValue: setting.text) { return value }
        let names = Choice.allCases.map(\.rawValue)
        let nearest = NearestName.of(setting.text, in: names).map { "did you mean \"\($0)\"? " } ?? ""
        let list = names.count == 1 ? "the only value is \(names[0])" : "one of: \(names.joined(separator: ", "))"
        diagnostics.error(setting.origin, key, "\(quoted(setting.text)) is not a value of this key; \(nearest)\(list)")
        return nil
    }

    func boolean(_ setting: Setting, _ key: String) -> Bool? {
        switch setting.text.lowercased() {
        case "true": return true
        case "false": return false
        default:
            diagnostics.error(setting.origin, key, "\(quoted(setting.text)) is neither true nor false")
            return nil
        }
    }

    /// Text that is not empty, contains no control characters, and fits in an MQTT packet.
    func text(_ setting: Setting, _ key: String) -> String? {
        guard let problem = TextValue.problem(with: setting.text) else { return setting.text }
        diagnostics.error(setting.origin, key, problem)
        return nil
    }

    /// A path; a relative one starts at the folder of the file in which it is written.
    func path(_ setting: Setting, _ key: String) -> String? {
        guard let text = text(setting, key) else { return nil }
        if text.hasPrefix("~") {
            diagnostics.error(setting.origin, key, "~ is not expanded here; write the whole path")
            return nil
        }
        return PathResolver.resolve(text, in: setting.folder)
    }

    func quoted(_ text: String) -> String {
        "\"\(shortened(text))\""
    }

    /// The text, cut and cleaned so that it fits in one line of a terminal.
    func shortened(_ text: String) -> String {
        TextValue.shortened(text)
    }
}
