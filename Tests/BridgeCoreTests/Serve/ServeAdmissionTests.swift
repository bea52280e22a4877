import BridgeCore
import NIOCore
import Testing

@Suite struct ServeAdmissionTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private static func admission(_ change: (inout ServeConfiguration) -> Void) -> ServeAdmission {
        var configuration = ServeConfiguration(certificateFile: "", keyFile: "", brokerHost: "")
        change(&configuration)
        return ServeAdmission(configuration: configuration, now: start)
    }

    @Test(arguments: [(ServeConfiguration.Retry.always, ServeAdmission.Decision.validateAddress), (.never, .admit)])
    func aFixedRetryPolicyAsksAlwaysOrNever(retry: ServeConfiguration.Retry, decision: ServeAdmission.Decision) {
        var admission = Self.admission {
            $0.retry = retry
            $0.retryAbove = 1
        }
        for _ in 0..<10 {
            #expect(admission.decide(from: "192.0.2.1", isValidated: false, at: Self.start) == decision)
            #expect(admission.decide(from: "192.0.2.1", isValidated: true, at: Self.start) == .admit)
        }
    }

    @Test func addressesAreValidatedAboveARate() {
        var admission = Self.admission { $0.retryAbove = 10 }
        func decisions(_ count: Int, at time: NIODeadline) -> Int {
            (0..<count).filter { _ in
                admission.decide(from: "192.0.2.1", isValidated: false, at: time) == .admit
            }.count
        }
        #expect(decisions(30, at: Self.start) == 10)
        // Clients that came back with a token do not count for this rate.
        for _ in 0..<100 {
            #expect(admission.decide(from: "192.0.2.1", isValidated: true, at: Self.start) == .admit)
        }
        #expect(decisions(30, at: Self.start + .milliseconds(500)) == 5)
        #expect(decisions(30, at: Self.start + .seconds(100)) == 10)
    }

    /// Even a slow sender of first datagrams with forged addresses holds memory until the handshakes time out.
    @Test func addressesAreValidatedAboveANumberOfUnprovenOnes() {
        var admission = Self.admission { $0.retryAbove = 10 }
        for second in 0..<10 {
            let now = Self.start + .seconds(Int64(second))
            #expect(admission.decide(from: "192.0.2.\(second)", isValidated: false, at: now) == .admit)
            admission.joined(from: "192.0.2.\(second)", isValidated: false)
        }
        let later = Self.start + .seconds(20)
        #expect(admission.decide(from: "192.0.2.99", isValidated: false, at: later) == .validateAddress)
        admission.proved()
        #expect(admission.decide(from: "192.0.2.99", isValidated: false, at: later) == .admit)
        admission.joined(from: "192.0.2.99", isValidated: false)
        #expect(admission.decide(from: "192.0.2.98", isValidated: false, at: later) == .validateAddress)
        admission.left(from: "192.0.2.1", isProven: false)
        #expect(admission.decide(from: "192.0.2.98", isValidated: false, at: later) == .admit)
    }

    @Test func connectionsAreLimitedInTotalAndPerAddress() {
        var admission = Self.admission {
            $0.limits.connections = 3
            $0.limits.connectionsPerAddress = 2
        }
        func decide(_ address: String) -> ServeAdmission.Decision {
            admission.decide(from: address, isValidated: true, at: Self.start)
        }
        for _ in 0..<2 {
            #expect(decide("192.0.2.1") == .admit)
            admission.joined(from: "192.0.2.1", isValidated: true)
        }
        #expect(decide("192.0.2.1") == .refuse(.connectionsPerAddress))
        #expect(decide("192.0.2.2") == .admit)
        admission.joined(from: "192.0.2.2", isValidated: true)
        #expect(decide("192.0.2.3") == .refuse(.connections))
        admission.left(from: "192.0.2.1", isProven: true)
        #expect(decide("192.0.2.1") == .admit)
    }

    @Test func newConnectionsPerSecondAreLimited() {
        var admission = Self.admission { $0.limits.handshakesPerSecond = 5 }
        let decisions = (0..<8).map { _ in admission.decide(from: "192.0.2.1", isValidated: true, at: Self.start) }
        #expect(decisions == Array(repeating: .admit, count: 5) + Array(repeating: .refuse(.rate), count: 3))
        let later = Self.start + .milliseconds(400)
        #expect(admission.decide(from: "192.0.2.1", isValidated: true, at: later) == .admit)
    }

    @Test func everyRefusalNamesItsKey() {
        let admission = Self.admission { _ in }
        for (refusal, key) in [
            (ServeAdmission.Refusal.rate, "serve.handshakes_per_second"), (.connections, "serve.connections)"),
            (.connectionsPerAddress, "serve.connections_per_address"),
        ] {
            #expect(admission.describe(refusal).contains(key))
        }
    }

    @Test func statisticsAddUp() {
        var one = ServeStatistics()
        one.connections = 2
        one.refusals = [.rate: 3]
        one.bytesUp = 10
        var other = ServeStatistics()
        other.connections = 5
        other.refusals = [.rate: 1, .connections: 1]
        other.openSessions = 4
        let sum = one + other
        #expect(sum.connections == 7 && sum.refusals == [.rate: 4, .connections: 1] && sum.openSessions == 4)
        let fields = Dictionary(uniqueKeysWithValues: sum.fields.map { ($0.name, $0.value) })
        #expect(fields["refused_rate"] == "4" && fields["refused_per_address"] == nil && fields["bytes_up"] == "10")
    }
}
