import Hummingbird

/// Reads the query of a request. What is not known, or given twice, is an error, so that a misspelt filter does not go
/// unnoticed.
struct QueryReader {
    private var values: [String: String] = [:]

    /// - Parameter names: The parameters that there are.
    init(_ request: Request, _ names: [String]) throws(AdminError) {
        let what = names.isEmpty ? "this path takes none" : "there are \(names.joined(separator: ", "))"
        for (key, value) in request.uri.queryParameters {
            let name = String(key)
            guard names.contains(name) else {
                throw AdminError(.badRequest, "unknown parameter \(Self.quoted(name)); \(what)")
            }
            guard values.updateValue(String(value), forKey: name) == nil else {
                throw AdminError(.badRequest, "\(name) is given twice")
            }
        }
    }

    /// `nil` if it is not given or empty.
    func text(_ name: String) -> String? {
        values[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    func number<Number: FixedWidthInteger>(_ name: String, _ range: ClosedRange<Number>) throws(AdminError) -> Number? {
        guard let text = values[name] else { return nil }
        guard let number = Number(digits: text), range.contains(number) else {
            let bounds =
                range.upperBound == .max ? "from \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
            throw AdminError(.badRequest, "\(name)=\(Self.quoted(text)): it is a whole number, \(bounds)")
        }
        return number
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _: Choice.Type = Choice.self
    ) throws(AdminError) -> Choice? where Choice.RawValue == String {
        guard let text = values[name] else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw AdminError(.badRequest, "\(name)=\(Self.quoted(text)): it is one of \(all)")
        }
        return choice
    }

    /// A parameter without a value counts as true.
    func flag(_ name: String) throws(AdminError) -> Bool {
        switch values[name] {
        case nil, "false"?: return false
        case ""?, "true"?: return true
        case let text?: throw AdminError(.badRequest, "\(name)=\(Self.quoted(text)): it is true or false")
        }
    }

    /// At most 64 characters, because the text is a client's.
    static func quoted(_ text: String) -> String {
        text.count > 64 ? "\"\(text.prefix(64))...\"" : "\"\(text)\""
    }
}
