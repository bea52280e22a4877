import TestSupport
import Testing

@testable import BenchmarkLink

struct AddressTranslationTests {
    private static let outside: UInt32 = 0x0A4D_0301
    private static let device = IPv4Packet.End(address: 0x0A4D_0101, port: 5000)
    private static let server = IPv4Packet.End(address: 0x0A4D_0201, port: 1883)

    private static func translation(_ mode: AddressTranslation.Mode) -> AddressTranslation {
        var translation = AddressTranslation(address: outside)
        translation.mode = mode
        return translation
    }

    /// Sends a packet from the device, and returns it as the server sees it.
    private static func send(
        _ transport: IPv4Packet.Transport, through translation: inout AddressTranslation, from end: IPv4Packet.End,
        tcpFlags: UInt8 = 0x10
    ) -> IPv4Packet? {
        var packet = TestPacket.make(transport, from: end, to: server, tcpFlags: tcpFlags)
        guard translation.translateOutgoing(&packet) else { return nil }
        #expect(TestPacket.isIntact(packet))
        return parse(packet)
    }

    /// Sends a packet from the server to an outside port, and returns it as the device sees it.
    private static func answer(
        _ transport: IPv4Packet.Transport, through translation: inout AddressTranslation, to end: IPv4Packet.End
    ) -> IPv4Packet? {
        var packet = TestPacket.make(transport, from: server, to: end)
        guard translation.translateIncoming(&packet) else { return nil }
        #expect(TestPacket.isIntact(packet))
        return parse(packet)
    }

    private static func parse(_ packet: [UInt8]) -> IPv4Packet? {
        guard case .flow(let flow) = IPv4Packet.parse(packet) else { return nil }
        return flow
    }

    @Test(arguments: [IPv4Packet.Transport.udp, .tcp])
    func aFlowKeepsItsPortAndAnswersComeBack(_ transport: IPv4Packet.Transport) throws {
        var translation = Self.translation(.all)
        let first = try #require(Self.send(transport, through: &translation, from: Self.device))
        #expect(first.source.address == Self.outside)
        #expect(first.destination == Self.server)
        let second = try #require(Self.send(transport, through: &translation, from: Self.device))
        #expect(second.source == first.source)
        #expect(translation.mappings == 1)
        let answer = try #require(Self.answer(transport, through: &translation, to: first.source))
        #expect(answer.destination == Self.device)
        #expect(answer.source == Self.server)
    }

    @Test func flowsHavePortsOfTheirOwn() throws {
        var translation = Self.translation(.all)
        var ends: Set<IPv4Packet.End> = []
        for port in UInt16(1)...100 {
            let end = IPv4Packet.End(address: Self.device.address, port: port)
            ends.insert(try #require(Self.send(.udp, through: &translation, from: end)).source)
        }
        #expect(ends.count == 100)
    }

    @Test(arguments: [IPv4Packet.Transport.udp, .tcp])
    func aRebindGivesAFlowANewPortAndForgetsTheOldOne(_ transport: IPv4Packet.Transport) throws {
        var translation = Self.translation(.all)
        let before = try #require(Self.send(transport, through: &translation, from: Self.device))
        translation.rebind()
        #expect(Self.answer(transport, through: &translation, to: before.source) == nil)
        let after = try #require(Self.send(transport, through: &translation, from: Self.device))
        #expect(after.source.address == before.source.address)
        #expect(after.source.port != before.source.port)
        #expect(Self.answer(transport, through: &translation, to: before.source) == nil)
        #expect(Self.answer(transport, through: &translation, to: after.source)?.destination == Self.device)
        #expect(translation.rebinds == 1)
    }

    @Test func aRebindCanChangeTheAddress() throws {
        var translation = Self.translation(.all)
        translation.rebind(to: 0x0A4D_0309)
        #expect(Self.send(.udp, through: &translation, from: Self.device)?.source.address == 0x0A4D_0309)
    }

    @Test func unknownTCPIsDroppedIfAsked() throws {
        var translation = Self.translation(.all)
        translation.dropsUnknownTCP = true
        #expect(Self.send(.tcp, through: &translation, from: Self.device) == nil)
        let opening = Self.send(.tcp, through: &translation, from: Self.device, tcpFlags: 0x02)
        #expect(opening != nil)
        #expect(Self.send(.tcp, through: &translation, from: Self.device) != nil)
        translation.rebind()
        #expect(Self.send(.tcp, through: &translation, from: Self.device) == nil)
        #expect(Self.send(.udp, through: &translation, from: Self.device) != nil)
    }

    @Test func theModeSaysWhichFlowsAreTranslated() throws {
        for (mode, udp, tcp) in [(AddressTranslation.Mode.off, false, false), (.udp, true, false), (.all, true, true)] {
            var translation = Self.translation(mode)
            #expect((Self.send(.udp, through: &translation, from: Self.device)?.source != Self.device) == udp)
            #expect((Self.send(.tcp, through: &translation, from: Self.device)?.source != Self.device) == tcp)
        }
    }

    /// Every combination of words must come out right, among them those whose sums carry.
    @Test func checksumsAreRightForAnyAddressesAndPayloads() throws {
        var random = SplitMix64(seed: 11)
        for _ in 0..<2000 {
            var translation = AddressTranslation(address: .random(in: 0...UInt32.max, using: &random))
            translation.mode = .all
            let transport: IPv4Packet.Transport = Bool.random(using: &random) ? .udp : .tcp
            let payload = (0..<Int.random(in: 0...9, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let source = IPv4Packet.End(
                address: .random(in: 0...UInt32.max, using: &random), port: .random(in: 0...UInt16.max, using: &random))
            var packet = TestPacket.make(
                transport, from: source, to: Self.server, payload: payload,
                options: Bool.random(using: &random) ? [1, 1, 1, 1] : [])
            #expect(TestPacket.isIntact(packet))
            #expect(translation.translateOutgoing(&packet) == true)
            #expect(TestPacket.isIntact(packet))
        }
    }

    @Test func aUDPPacketWithoutChecksumStaysSo() throws {
        var translation = Self.translation(.all)
        var packet = TestPacket.make(.udp, from: Self.device, to: Self.server)
        packet[TestPacket.checksumOffset(packet)] = 0
        packet[TestPacket.checksumOffset(packet) + 1] = 0
        #expect(translation.translateOutgoing(&packet) == true)
        #expect(packet[TestPacket.checksumOffset(packet)] == 0)
        #expect(packet[TestPacket.checksumOffset(packet) + 1] == 0)
        #expect(Self.parse(packet)?.source.address == Self.outside)
    }

    @Test func otherPacketsPassUnchanged() {
        var translation = Self.translation(.all)
        var ping = TestPacket.make(.udp, from: Self.device, to: Self.server)
        ping[9] = 1
        let unchanged = ping
        #expect(translation.translateOutgoing(&ping) == true)
        #expect(translation.translateIncoming(&ping) == true)
        #expect(ping == unchanged)
    }

    @Test func whatHasNoReadablePortsIsDropped() {
        var translation = Self.translation(.all)
        let whole = TestPacket.make(.tcp, from: Self.device, to: Self.server)
        for length in 0..<40 {
            var cut = Array(whole[..<length])
            #expect(translation.translateOutgoing(&cut) == false, "\(length) bytes")
            #expect(translation.translateIncoming(&cut) == false, "\(length) bytes")
        }
        var fragment = whole
        fragment[7] = 5
        #expect(translation.translateOutgoing(&fragment) == false)
        var shortHeader = whole
        shortHeader[0] = 0x44
        #expect(translation.translateOutgoing(&shortHeader) == false)
    }

    /// The ports are the bound of the table.
    @Test func aFlowBeyondAllPortsTakesOverTheOldestOne() throws {
        var translation = Self.translation(.all)
        let first = try #require(Self.send(.udp, through: &translation, from: Self.device))
        for number in 0..<UInt32(45_000) {
            let end = IPv4Packet.End(address: 0x0B00_0000 + number, port: 1)
            var packet = TestPacket.make(.udp, from: end, to: Self.server, payload: [])
            _ = translation.translateOutgoing(&packet)
        }
        #expect(translation.mappings == 45_001)
        let answer = try #require(Self.answer(.udp, through: &translation, to: first.source))
        #expect(answer.destination == IPv4Packet.End(address: 0x0B00_0000 + 44_999, port: 1))
        let again = try #require(Self.send(.udp, through: &translation, from: Self.device))
        #expect(again.source != first.source)
    }
}
