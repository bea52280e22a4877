/// A `.env` file, which consists of `KEY=VALUE` lines.
///
/// - An unquoted value is everything up to the end of the line, taken literally (including `#`, `%`, `$`, `!` and `\`);
///   only a `#` after white space begins a comment.
/// - `'...'` is taken literally; in `"..."` a backslash escapes `"`, `\`, `$` and `` ` ``. Variables are never expanded.
/// - `export ` before a name is ignored, and so are lines that are empty or begin with `#`.
struct DotEnv {
    struct Entry: Equatable {
        var name: String
        var value: String
        /// Line number, counted from 1.
        var line: Int
        /// Whether a ` # ...` was removed from an unquoted value.
        var hadComment: Bool
    }

    private(set) var entries: [Entry] = []

    /// Reports lines that are not assignments, without quoting them: they may contain a secret.
    init(_ text: String, name: String, diagnostics: Diagnostics) {
        for (index, line) in SourceText(text).lines.enumerated() {
            let origin = Origin(.dotEnv(name: name, line: index + 1, variable: ""))
            do {
                if let entry = try Self.parse(line[...], number: index + 1) { entries.append(entry) }
            } catch {
                diagnostics.error(origin, nil, error.message)
            }
        }
    }

    /// Removes the entries with these names, as if they were not in the file.
    mutating func remove(_ names: Set<String>) {
        entries.removeAll { names.contains($0.name) }
    }

    private struct Problem: Error {
        var message: String
    }

    private typealias Scalars = ArraySlice<Unicode.Scalar>

    private static func parse(_ line: Scalars, number: Int) throws(Problem) -> Entry? {
        var rest = line.drop(while: isBlank)
        guard let first = rest.first, first != "#" else { return nil }
        let export = Array("export".unicodeScalars)
        if rest.starts(with: export), rest.dropFirst(export.count).first.map(isBlank) == true {
            rest = rest.dropFirst(export.count).drop(while: isBlank)
        }
        guard let equals = rest.firstIndex(of: "=") else { throw Problem(message: "expected KEY=VALUE") }
        let name = string(trimmed(rest[..<equals]))
        guard isName(name) else {
            let rule = "a name is letters, digits and underscores, and does not begin with a digit"
            throw Problem(message: "the text before = is not a name; \(rule)")
        }
        let (value, hadComment) = try self.value(rest[rest.index(after: equals)...], of: name)
        guard value.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control || $0 == "\t" }) else {
            throw Problem(message: "the value of \(name) contains a control character")
        }
        return Entry(name: name, value: value, line: number, hadComment: hadComment)
    }

    private static func value(_ text: Scalars, of name: String) throws(Problem) -> (String, hadComment: Bool) {
        let body = text.drop(while: isBlank)
        if let quote = body.first, quote == "'" || quote == "\"" {
            return (try quoted(body.dropFirst(), by: quote, of: name), false)
        }
        var isAfterBlank = body.startIndex > text.startIndex
        for index in body.indices {
            if body[index] == "#", isAfterBlank { return (string(trimmed(body[..<index])), true) }
            isAfterBlank = isBlank(body[index])
        }
        return (string(trimmed(body)), false)
    }

    private static func quoted(_ text: Scalars, by quote: Unicode.Scalar, of name: String) throws(Problem) -> String {
        var value: [Unicode.Scalar] = []
        var index = text.startIndex
        while index < text.endIndex, text[index] != quote {
            let next = text.index(after: index)
            if quote == "\"", text[index] == "\\", next < text.endIndex, isEscapable(text[next]) { index = next }
            value.append(text[index])
            index = text.index(after: index)
        }
        guard index < text.endIndex else {
            throw Problem(
                message: "the quote of \(name) is not closed in this line; values of several lines are not supported")
        }
        let rest = text[text.index(after: index)...].drop(while: isBlank)
        guard rest.isEmpty || rest.first == "#" else {
            throw Problem(message: "text after the closing quote of \(name)")
        }
        return string(value[...])
    }

    private static func isEscapable(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\"" || scalar == "\\" || scalar == "$" || scalar == "`"
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t"
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.unicodeScalars.allSatisfy {
            $0 == "_" || ($0.isASCII && $0.properties.isAlphabetic) || ("0"..."9").contains($0)
        }
    }

    private static func trimmed(_ scalars: Scalars) -> Scalars {
        var rest = scalars.drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }

    private static func string(_ scalars: Scalars) -> String {
        String(String.UnicodeScalarView(scalars))
    }
}
