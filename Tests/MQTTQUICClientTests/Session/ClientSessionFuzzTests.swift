import ClientModel
import TestSupport
import Testing

/// A session and a model broker over a network that loses connections at any point.
struct ClientSessionFuzzTests {
    @Test(
        "Over a network that fails, nothing is lost, nothing of QoS 2 comes twice, and the order stays",
        arguments: ModelBroker.PassesOn.allCases, [0, 3])
    func random(passesOn: ModelBroker.PassesOn, dataStreams: Int) throws {
        for seed in 1...12 as ClosedRange<UInt64> {
            var world = ClientWorld(passesOn, dataStreams: dataStreams, choices: Choices(seed: seed))
            try world.run(steps: 800)
            #expect(world.faults == [], "seed \(seed)")
        }
    }
}
