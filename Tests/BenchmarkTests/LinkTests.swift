import Foundation
import Testing

@testable import BenchmarkLink

/// Both directions with outages, NAT and commands, on a virtual clock.
struct LinkTests {
    private static let device = IPv4Packet.End(address: 0x0A4D_0101, port: 5000)
    private static let server = IPv4Packet.End(address: 0x0A4D_0201, port: 1883)
    private static let second: Int64 = 1_000_000_000

    private static func link(_ commands: String...) throws -> Link {
        var link = Link(seed: 1, natAddress: 0x0A4D_0301)
        for command in commands { _ = try link.execute(LinkCommand(command), at: 0) }
        return link
    }

    private static func packet(_ number: UInt8 = 0) -> [UInt8] {
        TestPacket.make(.udp, from: device, to: server, payload: [number])
    }

    private static func run(_ command: String, on link: inout Link, at now: Int64 = 0) throws -> String? {
        try link.execute(LinkCommand(command), at: now)
    }

    @Test func directionsHaveSettingsOfTheirOwn() throws {
        var link = try Self.link("delay=10", "downlink.delay=30")
        link.enter(Self.packet(1), .uplink, at: 0)
        link.enter(Self.packet(2), .downlink, at: 0)
        #expect(link.nextDue == 10_000_000)
        #expect(link.leave(.downlink, at: 29_999_999) == nil)
        #expect(link.leave(.uplink, at: 10_000_000) == Self.packet(1))
        #expect(link.nextDue == 30_000_000)
        #expect(link.leave(.downlink, at: 30_000_000) == Self.packet(2))
        #expect(link.nextDue == nil)
    }

    @Test func anOutageDropsWhatEntersAndEndsByItself() throws {
        var link = try Self.link("delay=25")
        link.enter(Self.packet(1), .uplink, at: 0)
        _ = try Self.run("down=10", on: &link, at: 1)
        for side in LinkSide.allCases { link.enter(Self.packet(2), side, at: 10 * Self.second) }
        #expect(link.statistics.uplink.droppedOutage == 1)
        #expect(link.statistics.downlink.droppedOutage == 1)
        #expect(link.leave(.uplink, at: 10 * Self.second) == Self.packet(1))
        link.enter(Self.packet(3), .uplink, at: 10 * Self.second + 1)
        #expect(link.leave(.uplink, at: 11 * Self.second) == Self.packet(3))
        #expect(link.statistics.uplink.packets == 3)
    }

    @Test func anOutageWithoutEndIsEndedByUp() throws {
        var link = try Self.link("down")
        link.enter(Self.packet(), .uplink, at: 1000 * Self.second)
        #expect(link.nextDue == nil)
        _ = try Self.run("up", on: &link, at: 1000 * Self.second)
        link.enter(Self.packet(), .uplink, at: 1000 * Self.second)
        #expect(link.nextDue != nil)
    }

    @Test func theNATStandsAtTheEdge() throws {
        var link = try Self.link("nat=all", "delay=20")
        link.enter(Self.packet(), .uplink, at: 0)
        let sent = link.leave(.uplink, at: 20_000_000)
        guard let sent, case .flow(let flow) = IPv4Packet.parse(sent) else { throw LinkError.failed("no flow") }
        #expect(flow.source.address == 0x0A4D_0301)
        let answer = TestPacket.make(.udp, from: Self.server, to: flow.source)
        link.enter(answer, .downlink, at: 30_000_000)
        // On its way to the edge when the NAT forgets the flow.
        link.enter(answer, .downlink, at: 40_000_000)
        #expect(link.leave(.downlink, at: 50_000_000) == TestPacket.make(.udp, from: Self.server, to: Self.device))
        _ = try Self.run("rebind", on: &link, at: 55_000_000)
        #expect(link.leave(.downlink, at: 60_000_000) == nil)
        #expect(link.statistics.downlink.droppedNAT == 1)
        #expect(link.nextDue == nil)
    }

    @Test func statisticsAreJSON() throws {
        var link = try Self.link("loss=100", "nat=udp")
        link.enter(Self.packet(), .uplink, at: 0)
        link.delivered(50, .downlink, isTaken: true)
        link.delivered(50, .downlink, isTaken: false)
        let text = try #require(try Self.run("stats", on: &link))
        let statistics = try JSONDecoder().decode(LinkStatistics.self, from: Data(text.utf8))
        #expect(statistics == link.statistics)
        #expect(statistics.uplink.packets == 1)
        #expect(statistics.uplink.bytes == Self.packet().count)
        #expect(statistics.uplink.dropped == 1)
        #expect(statistics.downlink.deliveredBytes == 50)
        #expect(statistics.downlink.failed == 1)
        #expect(statistics.natMappings == 1)
        #expect(text.contains("\"delivered_packets\":1"))
        _ = try Self.run("reset", on: &link)
        #expect(link.statistics == LinkStatistics())
    }

    @Test func showNamesAllSettings() throws {
        var link = try Self.link("delay=25", "uplink.loss=5", "nat=udp", "nat-tcp=drop", "down=1")
        let text = try #require(try Self.run("show", on: &link))
        for part in ["uplink.delay=25.0", "uplink.loss=5.0", "downlink.loss=0.0", "down", "nat=udp", "nat-tcp=drop"] {
            #expect(text.split(separator: " ").contains { $0 == part }, "\(part) is not in \(text)")
        }
    }

    @Test(arguments: [
        ("speed=1", "'speed' is no command"), ("delay", "it takes a number"), ("delay=fast", "it takes a number"),
        ("delay=", "it takes a number"), ("loss=101", "not within 0.0 to 100.0"), ("delay=-1", "not within"),
        ("delay=nan", "not within"), ("queue=0", "not within 1.0"), ("sideways.loss=1", "no command"),
        ("down=soon", "seconds of the outage"), ("down=-1", "seconds of the outage"), ("nat=maybe", "off, udp and all"),
        ("nat-tcp=x", "remap and drop"), ("rebind=here", "IPv4 address"), ("rebind=1.2.3", "IPv4 address"),
        ("rebind=1.2.3.256", "IPv4 address"), ("", "no command"), ("=", "no command"), ("stats=1", "no command"),
    ])
    func aWrongCommandSaysWhatWouldBeRight(_ text: String, _ part: String) {
        let error = #expect(throws: LinkError.self) { _ = try LinkCommand(text) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "no error")")
    }

    @Test func aWrongCommandLeavesThoseBeforeItUndone() throws {
        let loop = try LinkLoop(Link(seed: 1, natAddress: 0))
        #expect(throws: LinkError.self) { _ = try loop.execute(["delay=25", "loss=5000"]) }
        #expect(try loop.execute(["show"]).contains("uplink.delay=0.0"))
        #expect(try loop.execute(["delay=25"]) == "ok")
        #expect(try loop.execute(["show"]).contains("uplink.delay=25.0"))
    }
}
