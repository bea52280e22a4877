import Testing

@testable import BenchmarkSuite

struct SelectionTests {
    private func names(_ selection: Selection) -> [String] { selection.scenarios.map(\.name) }

    @Test func withoutNamesItIsTheQuickSet() throws {
        let selection = try Selection([], all: false)
        #expect(selection.run == .quick)
        #expect(names(selection).contains("steady"))
        // These take as long as what they measure.
        #expect(!names(selection).contains("outage"))
        #expect(!names(selection).contains("long"))
    }

    @Test func allHasEveryScenario() throws {
        #expect(names(try Selection([], all: true)) == Scenario.table.map(\.name))
    }

    @Test(arguments: Scenario.table.map(\.name))
    func everyScenarioCanBeRunByItsName(_ name: String) throws {
        let selection = try Selection([name], all: false)
        #expect(names(selection) == [name])
        #expect(selection.run == .named)
    }

    @Test func quickHasOnlyWhatTheQuickSetHas() throws {
        let selection = try Selection(["steady"], all: false, quick: true)
        #expect(names(selection) == ["steady"])
        #expect(selection.run == .quick)
        #expect {
            try Selection(["long"], all: false, quick: true)
        } throws: {
            "\($0)" == "the quick set has nothing of \"long\""
        }
        #expect {
            try Selection([], all: true, quick: true)
        } throws: {
            "\($0)" == "all and quick exclude each other"
        }
    }

    @Test func namedScenariosRunInTheOrderOfTheTable() throws {
        #expect(names(try Selection(["large", "connect"], all: false)) == ["connect", "large"])
        let selection = try Selection(["idle"], all: true)
        #expect(selection.scenarios[0].conditions(in: selection.run).map(\.load.devices) == [1000, 10_000])
    }

    @Test(arguments: [
        ("stedy", "there is no scenario \"stedy\"; did you mean \"steady\"?"),
        ("Fanout", "there is no scenario \"Fanout\"; did you mean \"fan-out\"?"),
        ("sat", "there is no scenario \"sat\"; did you mean \"saturation\"?"),
    ])
    func unknownScenario(_ name: String, _ message: String) {
        #expect {
            try Selection(["steady", name], all: false)
        } throws: {
            "\($0)" == message
        }
    }

    @Test func aNameThatResemblesNoneListsAll() {
        #expect {
            try Selection(["xyzzy"], all: false)
        } throws: { error in
            Scenario.table.allSatisfy { "\(error)".contains($0.name) }
        }
    }

    @Test func pathsAreMeasuredBesideHAProxy() throws {
        let selection = try Selection(["steady"], all: false, paths: ["mux"])
        #expect(selection.paths(of: selection.scenarios[0]).map(\.name) == ["haproxy", "mux"])
        #expect {
            try Selection([], all: false, paths: ["mx"])
        } throws: {
            "\($0)" == "there is no path \"mx\"; did you mean \"mux\"?"
        }
    }

    /// What the suite says must fit into one line of a terminal.
    @Test(arguments: Scenario.table)
    func titlesAreShortAndDiffer(_ scenario: Scenario) {
        for run in [Condition.Run.quick, .named, .all] {
            let titles = scenario.conditions(in: run).map(\.title)
            #expect(Set(titles).count == titles.count)
            #expect(titles.allSatisfy { $0.count < 120 })
        }
    }
}
