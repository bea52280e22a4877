/// A text with variables like `${name}` in it, for routes and identities.
///
/// There is no escape: `${` always begins a variable, and a `$` before anything else stands for itself (so `$SYS` and
/// `a$b` are plain text, and `$${clientid}` is a `$` followed by the client id).
package struct TemplateString: Sendable, Equatable {
    /// A part of the text: plain text, or a variable.
    package enum Segment: Sendable, Equatable {
        case text(String)
        case variable(RouteVariable)
    }

    /// The parts in their order, which make the text when they are put together.
    package let segments: [Segment]

    /// Throws if a variable is unknown or its `}` is missing.
    package init(parsing source: String) throws(TemplateError) {
        // This works on bytes, because a combining mark after the `$` or `}` would hide it from a comparison of characters.
        let utf8 = source.utf8
        var segments: [Segment] = []
        var textStart = utf8.startIndex
        var cursor = utf8.startIndex
        while let open = Self.nextOpening(in: utf8, from: cursor) {
            if textStart < open.dollar {
                segments.append(.text(String(source[textStart..<open.dollar])))
            }
            guard let close = utf8[open.name...].firstIndex(of: UInt8(ascii: "}")) else {
                throw .unclosedVariable(String(source[open.dollar...]))
            }
            let name = String(source[open.name..<close])
            guard let variable = RouteVariable(rawValue: name) else {
                throw .unknownVariable(name)
            }
            segments.append(.variable(variable))
            cursor = utf8.index(after: close)
            textStart = cursor
        }
        if textStart < utf8.endIndex {
            segments.append(.text(String(source[textStart...])))
        }
        self.segments = segments
    }

    /// The variables that the text uses.
    package var variables: Set<RouteVariable> {
        var found: Set<RouteVariable> = []
        for case .variable(let variable) in segments {
            found.insert(variable)
        }
        return found
    }

    /// The text with each variable replaced by its value. A `${` inside a value is plain text.
    package func render(_ variables: RouteVariables) -> String {
        render { variables[$0] }
    }

    func render(_ value: (RouteVariable) -> String) -> String {
        var result = ""
        for segment in segments {
            switch segment {
            case .text(let text): result += text
            case .variable(let variable): result += value(variable)
            }
        }
        return result
    }

    /// The position of the next `${`, and that of the name after it.
    private static func nextOpening(
        in utf8: String.UTF8View, from start: String.Index
    ) -> (dollar: String.Index, name: String.Index)? {
        var cursor = start
        while let dollar = utf8[cursor...].firstIndex(of: UInt8(ascii: "$")) {
            cursor = utf8.index(after: dollar)
            if cursor < utf8.endIndex, utf8[cursor] == UInt8(ascii: "{") {
                return (dollar, utf8.index(after: cursor))
            }
        }
        return nil
    }
}

/// Why a text is not a valid template. The description says what would be right.
package enum TemplateError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The name between `${` and `}`.
    case unknownVariable(String)
    /// The text from the `${` on.
    case unclosedVariable(String)

    package var description: String {
        switch self {
        case .unknownVariable(let name):
            let known = RouteVariable.allCases.map(\.placeholder).joined(separator: ", ")
            return "unknown variable \(name.quotedForMessage()): the known variables are \(known)"
        case .unclosedVariable(let text):
            return "\(text.quotedForMessage()) lacks the closing `}` of its variable"
        }
    }
}
