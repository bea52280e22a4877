import BridgeConfig

/// Which scenarios and paths a call of the suite asks for.
package struct Selection: Sendable {
    package let scenarios: [Scenario]
    package let run: Condition.Run
    /// Names of the paths to measure; empty for all. HAProxy is always among them where a scenario has it.
    package let paths: Set<String>

    /// Without names, these are the scenarios of the quick set, or with `all` every one. With names they have all their
    /// conditions but the longest, with `quick` only those of the quick set. `table` has all scenarios that there are.
    ///
    /// - Throws: `SelectionError` for a name that no scenario or path has, with the most similar one.
    package init(
        _ names: [String], all: Bool, quick: Bool = false, paths: [String] = [],
        from table: [Scenario] = Scenario.table
    ) throws {
        guard !(all && quick) else { throw SelectionError("all and quick exclude each other") }
        run = all ? .all : names.isEmpty || quick ? .quick : .named
        let known = table.map(\.name)
        for name in names where !known.contains(name) {
            throw SelectionError("there is no scenario \"\(name)\"; \(NearestName.advice(name, in: known))")
        }
        let run = run
        let selected = table.filter {
            (names.isEmpty || names.contains($0.name)) && !$0.conditions(in: run).isEmpty
        }
        if let none = names.first(where: { name in !selected.contains { $0.name == name } }) {
            throw SelectionError("the quick set has nothing of \"\(none)\"")
        }
        scenarios = selected
        let knownPaths = table.flatMap(\.paths).map(\.name)
        for path in paths where !knownPaths.contains(path) {
            let list = NearestName.advice(path, in: Array(Set(knownPaths)).sorted())
            throw SelectionError("there is no path \"\(path)\"; \(list)")
        }
        self.paths = Set(paths)
    }

    /// The paths of a scenario that are wanted, in its order.
    package func paths(of scenario: Scenario) -> [Path] {
        scenario.paths.filter { paths.isEmpty || paths.contains($0.name) || $0 == .haproxy }
    }
}

/// A name on the command line that means nothing.
package struct SelectionError: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
