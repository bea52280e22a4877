import NIOCore
import QUICTransport
import TestSupport
import Testing

@Suite struct NetworkChangeTests {
    private func at(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds * 1e9)) }

    private static func bytes<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
        withUnsafeBytes(of: value) { Array($0) }
    }

    private static func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
        let padding = [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
        return bytes(UInt16(4 + value.count)) + bytes(type) + value + padding
    }

    private static func message(_ type: UInt16, _ body: [UInt8]) -> [UInt8] {
        bytes(UInt32(16 + body.count)) + bytes(type) + bytes(UInt16(0)) + bytes(UInt64(0)) + body
    }

    private static func address(isNew: Bool = true, flags: UInt8 = 0, scope: UInt8 = 0) -> [UInt8] {
        message(
            isNew ? 20 : 21,
            [2, 24, flags, scope] + bytes(UInt32(3)) + attribute(1, [10, 0, 0, 1]) + attribute(2, [10, 0, 0, 5]))
    }

    private static func route(table: UInt8 = 254, type: UInt8 = 1, flags: UInt32 = 0, to: [UInt8]? = nil) -> [UInt8] {
        message(
            24,
            [2, 0, 0, 0, table, 4, 0, type] + bytes(flags) + (to.map { attribute(1, $0) } ?? [])
                + attribute(4, bytes(UInt32(3))))
    }

    private static func link(isUp: Bool) -> [UInt8] {
        message(16, [0, 0, 1, 0] + bytes(UInt32(3)) + bytes(UInt32(isUp ? 0x11043 : 0x1002)) + bytes(UInt32(0)))
    }

    @Test(arguments: [
        (address(), [NetworkChange.address("10.0.0.5", isThere: true, interface: 3)]),
        (address(isNew: false), [.address("10.0.0.5", isThere: false, interface: 3)]),
        (address(flags: 0x40), []),
        (address(scope: 253), []),
        (route(), [.route(interface: 3)]),
        (route(table: 255), []),
        (route(type: 5), []),
        (route(flags: 0x200), []),
        (route(to: [0xFE, 0x80] + [UInt8](repeating: 0, count: 14)), []),
        (route(to: [0x20, 0x01] + [UInt8](repeating: 0, count: 14)), [.route(interface: 3)]),
        (link(isUp: true), [.link(interface: 3, isUp: true)]),
        (link(isUp: false), [.link(interface: 3, isUp: false)]),
        (link(isUp: true) + route(), [.link(interface: 3, isUp: true), .route(interface: 3)]),
        (message(99, [1, 2, 3, 4]), []),
    ])
    func changesOfADatagram(bytes: [UInt8], changes: [NetworkChange]) {
        #expect(NetworkChange.changes(in: bytes) == changes)
    }

    @Test func noBytesCanTrap() {
        var random = SplitMix64(seed: 4)
        let messages = Self.address() + Self.route() + Self.link(isUp: true)
        for length in 0...messages.count { _ = NetworkChange.changes(in: messages.prefix(length)) }
        for _ in 0..<20_000 {
            var bytes = messages
            for _ in 0..<3 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = NetworkChange.changes(in: bytes)
        }
    }

    @Test func aBurstIsOneRound() {
        var changes = NetworkChanges()
        changes.add(.route(interface: 3), interface: "eth0", at: at(10))
        changes.add(.address("10.0.0.5", isThere: true, interface: 3), interface: "eth0", at: at(10.1))
        changes.add(.route(interface: 3), interface: "eth0", at: at(10.2))
        #expect(changes.due == at(10.25))
        #expect(changes.take(at: at(10.2)) == nil)
        #expect(changes.take(at: at(10.25)) == ["routes over eth0", "eth0 got 10.0.0.5"])
        #expect(changes.take(at: at(10.3)) == nil)
        #expect(changes.due == nil)
    }

    @Test func roundsAreTwoSecondsApart() {
        var changes = NetworkChanges()
        changes.add(.unknown, interface: nil, at: at(10))
        #expect(changes.take(at: at(10.25)) != nil)
        changes.add(.unknown, interface: nil, at: at(10.5))
        #expect(changes.due == at(12.25))
        #expect(changes.take(at: at(12.25)) != nil)
        changes.add(.unknown, interface: nil, at: at(20))
        #expect(changes.due == at(20.25))
    }

    /// Bridges of a router, and tunnels, may lead to the broker.
    @Test(arguments: ["eth0", "br-wan", "br-lan.2", "tap0", "lowpan0", "wg0"])
    func otherInterfacesCount(name: String) {
        var changes = NetworkChanges()
        changes.add(.address("10.0.0.5", isThere: true, interface: 3), interface: name, at: at(10))
        #expect(changes.due != nil)
    }

    @Test(arguments: ["lo", "veth12ab", "docker0", "br-0123456789ab", "cni0"])
    func interfacesThatLeadToNoBrokerAreIgnored(name: String) {
        var changes = NetworkChanges()
        changes.add(.address("10.0.0.5", isThere: true, interface: 3), interface: name, at: at(10))
        #expect(changes.due == nil)
    }

    @Test func anUnchangedInterfaceIsIgnored() {
        var changes = NetworkChanges()
        changes.add(.link(interface: 3, isUp: true), interface: "eth0", at: at(10))
        #expect(changes.take(at: at(11)) == ["eth0 is up"])
        changes.add(.link(interface: 3, isUp: true), interface: "eth0", at: at(20))
        #expect(changes.due == nil)
        changes.add(.link(interface: 3, isUp: false), interface: "eth0", at: at(20))
        #expect(changes.take(at: at(21)) == ["eth0 is down"])
    }
}
