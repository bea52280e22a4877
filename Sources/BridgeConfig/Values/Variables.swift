/// The variables that routes and identities may contain.
enum Variables {
    static let names = ["clientid", "username", "listener", "peer"]

    /// What is wrong with a `${...}` in `text`; `nil` if nothing is. A `$` without a brace stands for itself.
    static func problem(in text: String) -> String? {
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                return "a ${ without a closing }; variables are \(list)"
            }
            let name = String(rest[start.upperBound..<end])
            guard names.contains(name) else {
                let nearest = NearestName.of(name, in: names).map { "did you mean ${\($0)}? " } ?? ""
                return "${\(TextValue.shortened(name))} is not a variable; \(nearest)variables are \(list)"
            }
            rest = rest[rest.index(after: end)...]
        }
        return nil
    }

    private static var list: String { names.map { "${\($0)}" }.joined(separator: ", ") }
}
