import BridgeCore
import SessionModel
import TestSupport
import Testing

/// Sessions on a link that is cut, falls silent and comes back at any point of any flow.
@Suite struct HoldFuzzTests {
    @Test(arguments: HoldSimulation.Setting.all)
    func nothingIsLostOrDoubled(_ setting: HoldSimulation.Setting) throws {
        for seed in 1...12 as ClosedRange<UInt64> {
            var simulation = try HoldSimulation(setting, choices: Choices(seed: seed))
            try simulation.run(steps: 600)
            let found = simulation.faults
            #expect(found.isEmpty, "seed \(seed): \(found)")
            let budget = simulation.budget
            try simulation.leave()
            let isOver = simulation.session.isOver
            #expect(isOver, "seed \(seed)")
            #expect(budget.usedBytes == 0, "seed \(seed)")
            guard found.isEmpty else { return }
        }
    }
}
