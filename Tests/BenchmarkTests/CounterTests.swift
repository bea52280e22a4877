import Testing

@testable import BenchmarkSuite

/// What the suite reads from the kernel, from other programs and from logs.
struct CounterTests {
    private static let interfaces = """
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
            lo:  999999     999    0    0    0     0          0         0   999999     999    0    0    0     0       0          0
          wan0:    1000      10    0    0    0     0          0         0     2000      30    0    0    0     0       0          0
        """

    @Test func interfacesButTheLoopbackCount() throws {
        let counters = try #require(InterfaceCounters(parsing: Self.interfaces))
        #expect(counters.packets == 40)
        #expect(counters.bytes == 3000)
    }

    @Test(arguments: ["", "wan0: 1 2 3", "wan0: a b c d e f g h i j k l m n o p"])
    func otherFormsAreNotRead(_ text: String) {
        #expect(InterfaceCounters(parsing: text) == nil)
    }

    @Test func systemCallsByPerf() {
        #expect(
            PerfOutput.systemCalls(in: "# started on\n\n1738,,raw_syscalls:sys_enter,11641693,100.00,149.291,K/sec\n")
                == 1738)
        #expect(PerfOutput.systemCalls(in: "<not counted>,,raw_syscalls:sys_enter,0,100.00,,\n") == nil)
        #expect(PerfOutput.systemCalls(in: "event syntax error: 'raw_syscalls:sys_enter'\n") == nil)
    }

    @Test(
        arguments: [
            ("100.00    0.000000           0        29         1 total\n", 29),
            ("100.00    0.001234           5       246           total\n", 246),
            ("strace: attach: ptrace(PTRACE_SEIZE, 1): Operation not permitted\n", nil),
        ] as [(String, Int?)])
    func systemCallsByStrace(_ text: String, _ count: Int?) {
        #expect(
            StraceOutput.systemCalls(in: "% time     seconds  usecs/call     calls    errors syscall\n" + text) == count
        )
    }

    @Test func timerFirings() {
        let log = """
            2026-01-01T00:00:00Z info statistics devices=1 timer_firings=12 sessions=1
            2026-01-01T00:00:01Z info session started client_id="timer_firings=99"
            2026-01-01T00:00:02Z info statistics devices=1 timer_firings=345 sessions=1
            2026-01-01T00:00:03Z info statistics devices=1 timer_fir
            """
        #expect(StatisticsLine.count(in: log) == 2)
        #expect(StatisticsLine.timerFirings(in: log) == 345)
        #expect(StatisticsLine.timerFirings(in: "") == nil)
    }

    private static let sockets = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0100007F:075B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
           1: 0100007F:C350 0100007F:075B 01 00000000:00000000 00:00000000 00000000     0        0 2
        """

    @Test func listeningPorts() {
        #expect(ListeningPort(transport: .tcp, number: 0x75B).isOpen(in: Self.sockets))
        // A connection's port is not one to connect to, but a UDP socket has only that state.
        #expect(!ListeningPort(transport: .tcp, number: 0xC350).isOpen(in: Self.sockets))
        #expect(ListeningPort(transport: .udp, number: 0xC350).isOpen(in: Self.sockets))
        #expect(!ListeningPort(transport: .udp, number: 1).isOpen(in: Self.sockets))
    }

    @Test func freePortsDiffer() throws {
        let ports = try FreePorts.find(5)
        #expect(Set(ports).count == 5)
        #expect(ports.allSatisfy { $0 > 0 })
    }

    @Test func eventsHappenBetweenTheEndsOfTheWindow() {
        let events: [Condition.Event] = [
            .init(at: 5, action: .brokerDeath(seconds: 3)), .init(at: 6, action: .rebind),
        ]
        let timeline = Timeline([Window(name: "", from: 1, to: 9)], events)
        #expect(timeline.entries.map(\.at) == [1, 5, 6, 8, 9])
        #expect(
            timeline.entries.map(\.moment) == [
                .windowBegins(0), .event(.brokerDeath(seconds: 3)), .event(.rebind), .brokerReturns, .windowEnds(0),
            ])
    }
}
