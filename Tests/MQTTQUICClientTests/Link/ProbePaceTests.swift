import NIOCore
import QUICTransport
import Testing

@testable import MQTTQUICClient

struct ProbePaceTests {
    /// A pace whose calls may stand in an expectation.
    private final class Shared {
        var pace = ProbePace()

        func isDue(_ address: SocketAddress, at milliseconds: Int64) -> Bool {
            pace.isDue(address, at: .uptimeNanoseconds(1_000_000_000) + .milliseconds(milliseconds))
        }
    }

    private func address(_ number: Int) throws -> SocketAddress {
        try SocketAddress(ipAddress: "192.0.2.1", port: 1_000 + number)
    }

    @Test("However many clients wait for a broker, it is probed as often as by one of them")
    func manyClients() throws {
        let shared = Shared()
        let broker = try address(0)
        var probes = 0
        for time in 0..<1_000 as Range<Int64> {
            for _ in 0..<20 where shared.isDue(broker, at: time) { probes += 1 }
        }
        #expect(probes == 4)
        #expect(shared.isDue(try address(1), at: 999))
    }

    @Test("A client alone is not slowed down")
    func oneClient() throws {
        let shared = Shared()
        let broker = try address(0)
        for tick in 0..<100 as Range<Int64> { #expect(shared.isDue(broker, at: tick * 250)) }
    }

    @Test("No more addresses are remembered than there is room for, and old ones make room")
    func bound() throws {
        let shared = Shared()
        for number in 0..<200 { #expect(shared.isDue(try address(number), at: 0)) }
        #expect(shared.pace.count == ProbePace.capacity)
        #expect(!shared.isDue(try address(0), at: 1))
        #expect(shared.isDue(try address(199), at: 300))
        #expect(shared.pace.count == 1)
    }
}
