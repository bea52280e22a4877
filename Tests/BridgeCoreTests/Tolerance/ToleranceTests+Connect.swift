import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

// CONNECT, what routes need to read, and DISCONNECT.
extension ToleranceTests {
    @Test(arguments: OddPacket.connects)
    func anOddConnectPassesAsItCame(_ odd: OddPacket) throws {
        for hold in [nil, Self.hold] {
            var bench = try SessionBench(odd.version, hold: hold)
            let actions = try bench.device(odd.bytes, afterConnect: false)
            #expect(actions.end == nil && actions.opensUplink && actions.takesClientID)
            #expect(bench.session.uplinkReady().toUplink == [odd.buffer])
            let connack = Connack()
            #expect(try bench.broker(.connack(connack)).toDevice.count == 1)
            #expect(try bench.device(.pingreq).toUplink.count == 1)
            guard hold != nil else { continue }
            // A device that was let in is held like any other, unless what can't be read may be its session expiry. In
            // 3.1.1 CONNECT is repeated as odd as it was.
            let isHeld = !odd.name.contains("nobody knows")
            #expect(bench.session.uplinkLost(.network(description: "idle")).opensUplink == isHeld)
            guard isHeld else { continue }
            let again = bench.session.uplinkReady().toUplink
            #expect(again.count == 1 && (odd.version == .v5_0 || again == [odd.buffer]))
        }
    }

    @Test(arguments: OddPacket.unreadableConnects)
    func anUnreadableConnectPassesToo(_ odd: OddPacket) throws {
        var bench = try SessionBench(odd.version, hold: Self.hold)
        let actions = try bench.device(odd.bytes, afterConnect: false)
        #expect(actions.end == nil && actions.opensUplink && !actions.takesClientID)
        #expect(!bench.session.acceptsDeviceInput)
        #expect(bench.session.uplinkReady().toUplink == [odd.buffer])
        let connack: [UInt8] = odd.version == .v5_0 ? [0x20, 3, 0, 0x84, 0] : [0x20, 2, 0, 1]
        #expect(try bench.broker(connack).toDevice == [ByteBuffer(bytes: connack)])
        let actionsAtEnd = bench.session.uplinkEnded()
        #expect(actionsAtEnd.end == .brokerClosed && actionsAtEnd.closesDevice && actionsAtEnd.toDevice.isEmpty)
    }

    @Test func behindAnUnreadableConnectFramesPass() throws {
        var bench = try SessionBench()
        _ = try bench.device(OddPacket.unreadableConnects[3].bytes, afterConnect: false)
        _ = bench.session.uplinkReady()
        let accepted = try bench.broker([0x20, 2, 0, 0])
        #expect(accepted.contains { if case .connected = $0 { true } else { false } })
        #expect(bench.session.acceptsDeviceInput)
        #expect(try bench.device([0xC1, 0]).toUplink == [ByteBuffer(bytes: [0xC1, 0])])
        #expect(try bench.broker([0xD0, 0]).toDevice == [ByteBuffer(bytes: [0xD0, 0])])
        let loss = bench.session.uplinkLost(.network(description: "idle"))
        #expect(loss.end == .uplinkLost("idle") && loss.toDevice.isEmpty && loss.closesDevice)
    }

    /// A device sends CONNECT and shuts its sending side down.
    @Test func aDeviceThatOnlyReadsGetsTheAnswerToAnUnreadableConnect() throws {
        for isEarly in [true, false] {
            var bench = try SessionBench()
            let connect = OddPacket.unreadableConnects[2]
            _ = try bench.device(connect.bytes, afterConnect: false)
            if isEarly { #expect(!bench.session.deviceFinished().finishesUplink) }
            let sent = bench.session.uplinkReady()
            #expect(sent.toUplink == [connect.buffer] && sent.finishesUplink == isEarly)
            if !isEarly { #expect(bench.session.deviceFinished().finishesUplink) }
            #expect(try bench.broker([0x20, 2, 0, 1]).toDevice == [ByteBuffer(bytes: [0x20, 2, 0, 1])])
            let end = bench.session.timedOut(.lastWords)
            #expect(end.closesDevice && !end.finishesUplink && end.toDevice.isEmpty)
        }
    }

    @Test func anUnreadableConnectThatLeadsNowhereIsClosedWithoutAWord() throws {
        for end in [0, 1, 2] {
            var bench = try SessionBench()
            _ = try bench.device(OddPacket.unreadableConnects[0].bytes, afterConnect: false)
            let actions =
                switch end {
                case 0: bench.session.uplinkUnreachable("nobody there")
                case 1: bench.session.timedOut(.uplinkConnect)
                default: bench.session.shutDown()
                }
            #expect(actions.end != nil && actions.closesDevice && actions.toDevice.isEmpty)
        }
    }

    /// A rule of the operator needs to know who the device is, or where its will goes.
    @Test(arguments: OddPacket.unreadableConnects)
    func whereARuleNeedsItAnUnreadableConnectIsRefused(_ odd: OddPacket) throws {
        let inject = AuthConfiguration(mode: .inject, identity: .init(username: "gate"))
        for (routes, auth) in [(Self.routes, AuthConfiguration()), ([], inject)] {
            var bench = try SessionBench(odd.version, routes: routes, auth: auth)
            let actions = try bench.device(odd.bytes, afterConnect: false)
            guard case .deviceViolation = actions.end else {
                Issue.record("not refused")
                continue
            }
            #expect(actions.closesDevice && !actions.opensUplink)
        }
    }

    @Test func aHandshakeOfTLSIsStillNamed() throws {
        var bench = try SessionBench()
        let actions = try bench.device([0x16, 3, 1, 2, 0], afterConnect: false)
        guard case .notMQTT? = actions.end else {
            Issue.record("not named")
            return
        }
        #expect(actions.closesDevice)
    }

    // MARK: Where routes need it

    @Test(
        arguments: [
            ("a topic that is no UTF-8", .v3_1_1, [0x30, 4, 0, 1, 0xFF, 0x78], 0x81),
            ("a topic with a wildcard", .v3_1_1, [0x30, 6, 0, 3, 0x61, 0x2F, 0x23, 0x78], 0x81),
            ("packet id 0", .v5_0, [0x32, 8, 0, 3, 0x61, 0x2F, 0x62, 0, 0, 0], 0x82),
            ("alias 0", .v5_0, [0x30, 9, 0, 3, 0x61, 0x2F, 0x62, 3, 0x23, 0, 0], 0x94),
            ("an alias above the maximum", .v5_0, [0x30, 9, 0, 3, 0x61, 0x2F, 0x62, 3, 0x23, 0, 9], 0x94),
            (
                "two topics to answer to", .v5_0, [0x30, 14, 0, 3, 0x61, 0x2F, 0x62, 8, 8, 0, 1, 0x61, 8, 0, 1, 0x62],
                0x82
            ),
            ("SUBSCRIBE with packet id 0", .v5_0, [0x82, 9, 0, 0, 0, 0, 3, 0x61, 0x2F, 0x62, 0], 0x82),
            ("CONNECT again", .v5_0, [0x10, 14, 0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 2, 0, 60, 0, 0, 1, 0x61], 0x82),
        ] as [(String, MQTTVersion, [UInt8], UInt8)])
    func whatARouteHasToKnowAndCantIsRefused(
        _ name: String, _ version: MQTTVersion, _ bytes: [UInt8], _ code: UInt8
    ) throws {
        var bench = try SessionBench(version, routes: Self.routes)
        try bench.establish()
        let actions = try bench.device(bytes) + bench.session.uplinkEnded()
        #expect(actions.toUplink.isEmpty && actions.closesDevice, "\(name)")
        guard version == .v5_0 else { return }
        let frame = try Frame(packet: try #require(actions.toDevice.first), version: version)
        #expect(try Disconnect.decode(frame, version: version).reasonCode == code, "\(name)")
    }

    @Test(
        arguments: [
            (
                "DUP at QoS 0", .v3_1_1, [0x38, 6, 0, 3, 0x61, 0x2F, 0x62, 0x78],
                [0x30, 6, 0, 3, 0x62, 0x2F, 0x62, 0x78]
            ),
            (
                "Payload Format Indicator 2", .v5_0, [0x30, 8, 0, 3, 0x61, 0x2F, 0x62, 2, 1, 2],
                [0x30, 8, 0, 3, 0x62, 0x2F, 0x62, 2, 1, 2]
            ),
            (
                "reserved bits", .v3_1_1, [0x82, 8, 0, 1, 0, 3, 0x61, 0x2F, 0x62, 0xFD],
                [0x82, 8, 0, 1, 0, 3, 0x62, 0x2F, 0x62, 0xFD]
            ),
            (
                "other flags", .v3_1_1, [0x80, 8, 0, 1, 0, 3, 0x61, 0x2F, 0x62, 0],
                [0x80, 8, 0, 1, 0, 3, 0x62, 0x2F, 0x62, 0]
            ),
            ("no filter", .v3_1_1, [0x82, 2, 0, 1], [0x82, 2, 0, 1]),
            ("a server's packet", .v3_1_1, [0xD0, 0], [0xD0, 0]),
        ] as [(String, MQTTVersion, [UInt8], [UInt8])])
    func whatARouteCanReadItRoutes(
        _ name: String, _ version: MQTTVersion, _ bytes: [UInt8], _ routed: [UInt8]
    ) throws {
        var bench = try SessionBench(version, routes: Self.routes)
        try bench.establish()
        let actions = try bench.device(bytes)
        var sent = ByteBuffer()
        for bytes in actions.toUplink { sent.writeImmutableBuffer(bytes) }
        #expect(sent == ByteBuffer(bytes: routed) && actions.end == nil, "\(name)")
    }

    // MARK: DISCONNECT

    @Test(arguments: [true, false])
    func anExpiryThatWasNotAskedForIsAProtocolError(isHeld: Bool) throws {
        var bench = try SessionBench(.v5_0, hold: isHeld ? Self.hold : nil)
        try bench.establish()
        let bytes: [UInt8] = [0xE0, 7, 0, 5, 0x11, 0, 0, 0, 9]
        let actions = try bench.device(bytes)
        guard isHeld else {
            // The broker knows that, and says so.
            #expect(actions.toUplink == [ByteBuffer(bytes: bytes)] && actions.end == nil)
            return
        }
        let end = actions + bench.session.uplinkEnded()
        let frame = try Frame(packet: try #require(end.toDevice.first), version: .v5_0)
        #expect(try Disconnect.decode(frame, version: .v5_0).reasonCode == 0x82)
    }

    @Test(
        arguments: [
            ([0xE1, 0], [0xE1, 7, 0, 5, 0x11, 0, 0, 0, 0]),
            ([0xE0, 3, 0, 0, 0xFF], [0xE0, 3, 0, 0, 0xFF]),
            ([0xE0, 1, 1], [0xE0, 7, 1, 5, 0x11, 0, 0, 0, 1]),
            ([0xE0, 2, 1, 0], [0xE0, 7, 1, 5, 0x11, 0, 0, 0, 1]),
            (
                [0xE0, 12, 4, 10, 0x11, 0, 0, 0, 0, 0x11, 0, 0, 0, 0],
                [0xE0, 12, 4, 10, 0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1]
            ),
        ] as [([UInt8], [UInt8])])
    func anOddDisconnectTakesTheBorrowedExpiryBack(_ bytes: [UInt8], _ sent: [UInt8]) throws {
        var bench = try SessionBench(.v5_0, hold: Self.hold)
        try bench.establish { $0.will = Will(topic: "will") }
        let actions = try bench.device(bytes)
        #expect(actions.toUplink == [ByteBuffer(bytes: sent)] && actions.end == nil)
        // The device has said that it leaves, and is told nothing about what happens to its uplink.
        let loss = bench.session.uplinkLost(.network(description: "idle"))
        #expect(loss.end == .deviceDisconnected && loss.closesDevice && loss.toDevice.isEmpty)
    }

    /// The broker has to judge the device's CONNECT, and this is its verdict.
    @Test(arguments: MQTTVersion.allCases)
    func aBrokerThatClosesWithoutConnackIsNotPutIntoWords(_ version: MQTTVersion) throws {
        for end in [0, 1] {
            var bench = try SessionBench(version, hold: Self.hold)
            _ = try bench.device(bench.connect())
            _ = bench.session.uplinkReady()
            let actions =
                end == 0
                ? bench.session.uplinkEnded()
                : bench.session.uplinkLost(.byBroker(reasonCode: nil, description: "0"))
            #expect(actions.end == .brokerClosed && actions.closesDevice && actions.toDevice.isEmpty)
        }
    }
}
