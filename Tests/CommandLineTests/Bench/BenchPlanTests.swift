import MQTTQUICClient
import NIOCore
import Testing

@testable import mqtt_quic_bridge

@Suite struct BenchPlanTests {
    struct Change: Sendable {
        let problem: String?
        let apply: @Sendable (inout BenchPlan) -> Void

        init(_ problem: String?, _ apply: @escaping @Sendable (inout BenchPlan) -> Void) {
            self.problem = problem
            self.apply = apply
        }
    }

    @Test(arguments: [
        Change("--devices: 0 is not a number of devices from 1 to 100000") { $0.devices = 0 },
        Change("--devices: 100001") { $0.devices = 100_001 }, Change("--rate: 0.0") { $0.rate = 0 },
        Change("--rate: nan") { $0.rate = .nan }, Change("--rate: inf") { $0.rate = .infinity },
        Change("--rate: -1") { $0.rate = -1 }, Change("--rate: 10001") { $0.rate = 10_001 },
        Change("--rate: 1e-09") { $0.rate = 1e-9 }, Change("--size: 19") { $0.size = 19 },
        Change("--size: 2000000") { $0.size = 2_000_000 }, Change("--duration: 0") { $0.duration = 0 },
        Change("--connect-rate: -1") { $0.connectRate = -1 }, Change("--subscribers: -1") { $0.subscribers = -1 },
        Change("-M: 0") { $0.window = 0 }, Change("-M: 1025") { $0.window = 1_025 },
        Change("-i: the devices need different client ids") { $0.clientID = BenchPattern("same") },
        Change("-i: the devices need different client ids") { $0.clientID = BenchPattern("100%%i") },
        Change("-t \"a/#\"") { $0.topic = BenchPattern("a/#") }, Change("-t \"\"") { $0.topic = BenchPattern("") },
        Change(nil) { _ in }, Change(nil) { $0.size = 20 }, Change(nil) { $0.rate = 10_000 },
        Change(nil) { $0.rate = 0.01 },
        Change(nil) {
            $0.clientID = BenchPattern("same")
            $0.devices = 1
        },
    ])
    func problems(_ change: Change) {
        var plan = BenchPlan()
        change.apply(&plan)
        var found: String?
        do {
            try plan.validate()
        } catch {
            found = error.description
        }
        #expect(change.problem.map { found?.hasPrefix($0) == true } ?? (found == nil), "\(found ?? "")")
    }

    @Test(arguments: [
        ("bench/%i", "bench/7", "bench/+"), ("a%%b/%i-%p", "a%b/7-42", "a%b/+"), ("plain", "plain", "plain"),
        ("%p/x", "42/x", "42/x"), ("a/%", "a/%", "a/%"), ("%x", "%x", "%x"), ("/%i/", "/7/", "/+/"),
        ("100%%i", "100%i", "100%i"),
    ])
    func patterns(_ pattern: String, text: String, filter: String) {
        #expect(BenchPattern(pattern).text(of: 7, process: 42) == text)
        #expect(BenchPattern(pattern).filter(process: 42) == filter)
    }

    /// What is written for one device, in the environment or in `.env`, may contain `%i` and mean it.
    @Test func onlyWhatTheCommandLineNamesIsAPattern() {
        var plan = BenchPlan()
        let common = MQTTClientConfiguration.Credentials(username: "u%i", password: "p%i")
        #expect(plan.credentials(nil, of: 3, process: 1) == nil)
        #expect(plan.credentials(common, of: 3, process: 1) == common)
        plan.takesUsername = true
        #expect(plan.credentials(common, of: 3, process: 1) == .init(username: "u3", password: "p%i"))
        plan.takesPassword = true
        #expect(plan.credentials(common, of: 3, process: 1) == .init(username: "u3", password: "p3"))
    }

    /// The limit on what waits for an acknowledgement counts topic and properties too. If it were below the window, the
    /// devices would fail instead of waiting.
    @Test func theHeaviestMessageIsCountedWithItsProperties() {
        var plan = BenchPlan()
        (plan.devices, plan.size, plan.topic) = (1_000, 2_000, BenchPattern("a/%p/%i"))
        plan.properties.userProperties = [MQTTUserProperty("name", String(repeating: "v", count: 60_000))]
        plan.properties.correlationData = ByteBuffer(repeating: 1, count: 3_000)
        #expect(plan.messageWeight(process: 42) > 65_000)
        for device in [1, 10, 1_000] {
            let message = MQTTMessage(
                topic: plan.topic.text(of: device, process: 42), payload: ByteBuffer(repeating: 0, count: plan.size),
                properties: plan.properties)
            #expect(message.weight <= plan.messageWeight(process: 42))
        }
    }

    // MARK: - The schedule

    /// The times depend on nothing but the plan, so a broker that is slow cannot thin the load out.
    @Test func theDevicesTakeTurns() {
        var plan = BenchPlan()
        (plan.devices, plan.rate, plan.duration) = (4, 2, 1)
        #expect((1...4).map { plan.due(0, of: $0) } == [0, 125_000_000, 250_000_000, 375_000_000])
        #expect(plan.due(3, of: 2) == 1_625_000_000)
    }

    @Test(arguments: [1, 3, 7, 100], [0.3, 1, 2.5, 1_000]) func theMessagesThatAreDueInTime(
        _ devices: Int, _ rate: Double
    ) {
        var plan = BenchPlan()
        (plan.devices, plan.rate, plan.duration) = (devices, rate, 10)
        for device in 1...devices {
            let count = plan.messages(of: device)
            #expect(count == 0 || plan.due(count - 1, of: device) < 10_000_000_000)
            #expect(plan.due(count, of: device) >= 9_999_999_999)
        }
        let all = (1...devices).reduce(0) { $0 + plan.messages(of: $1) }
        #expect(abs(Double(all) - Double(devices) * rate * 10) <= 1)
    }
}
