import Foundation
import Testing

@testable import BenchmarkEndurance

struct EnduranceReportTests {
    private var report: EnduranceReport {
        var report = EnduranceReport()
        report.seed = 7
        report.devices = 110
        report.seconds = 240
        var counts = MessageLedger.Counts()
        counts.sent = 12
        counts.arrived = 11
        report.messages = [.init(group: .mux, kind: "QoS 1", counts: counts)]
        report.excused = [
            .init(group: .mux, what: "QoS 1 repeated", reason: "outage", count: 2),
            .init(group: .mux, what: "QoS 1 repeated", reason: "sent again", count: 1),
        ]
        report.calm = [.init(group: .mux, seconds: 60)]
        report.troubles = [.init(kind: .outage, group: nil, begin: 30, end: 42)]
        return report
    }

    @Test("A report without faults says so")
    func faultless() {
        let text = report.text
        #expect(report.isFaultless)
        #expect(text.hasPrefix("110 devices, 240 s, seed 7"))
        #expect(text.contains("30 s: outage for 12.0 s"))
        #expect(text.hasSuffix("no faults"))
        let row = text.split(separator: "\n").first { $0.hasPrefix("mux QoS 1") }
        #expect(text.contains("calm, with nothing excused: mux 25.00 % of the time\n"))
        let excuse = text.split(separator: "\n").first { $0.hasPrefix("mux QoS 1 repeated") }
        #expect(excuse?.hasSuffix("  3  11  27.27 %  outage 2, sent again 1") == true)
        #expect(row?.split(separator: " ").prefix(6) == ["mux", "QoS", "1", "12", "0", "11"])
    }

    @Test("Each fault is listed with its place, and too many of a kind are summed up")
    func faults() {
        var report = report
        for number in 0..<100 {
            report.faults.append(
                Fault(
                    kind: .lost, group: .mux, device: 5, subject: "QoS 1 of 5.0 clean", sequence: number, time: 31,
                    troubles: ["outage"]))
        }
        report.faultCounts = ["lost": 100]
        #expect(!report.isFaultless)
        #expect(report.text.contains("FAULTS: lost: 100\n"))
        #expect(report.text.contains("  lost, mux, device 5, QoS 1 of 5.0 clean, number 3, at 31 s, during outage\n"))
        #expect(report.text.hasSuffix("  ... and 60 more of this kind"))
    }

    @Test("The JSON has what the text has")
    func json() throws {
        let decoded = try JSONDecoder().decode(EnduranceReport.self, from: report.json())
        #expect(decoded.text == report.text)
    }

    @Test("A list of faults has a bound, and its counts have not")
    func bound() {
        var list = FaultList()
        for number in 0..<FaultList.limit + 10 {
            list.add(Fault(kind: .doubled, subject: "QoS 2", sequence: number, time: 1))
        }
        #expect(list.all.count == FaultList.limit)
        #expect(list.counts == [.doubled: FaultList.limit + 10])
    }

    @Test("The ports of a process are those of its own sockets")
    func ports() {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer
            12: 00000000:38E7 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0 0
            13: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0 0

            """
        #expect(UDPPorts.ports(of: ["4711", "9"], in: table) == [14_567])
    }

    @Test("The payload of a message says what it is, and other payloads are none")
    func payload() {
        let message = Message(StreamID(device: 1_000_000, purpose: .down2), 77, length: 300)
        #expect(Message(payload: message.payload) == message)
        #expect(message.payload.readableBytes == 300)
        #expect(Message(payload: .init(string: "hello, this is something else")) == nil)
        #expect(Message(payload: .init()) == nil)
        var damaged = message.payload
        damaged.setInteger(UInt8(0), at: damaged.writerIndex - 1)
        #expect(Message(payload: damaged) == nil)
        var cut = message.payload
        cut.moveWriterIndex(to: cut.writerIndex - 1)
        #expect(Message(payload: cut) == nil)
    }
}
