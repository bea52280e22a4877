import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// The will of a 5.0 session that the broker has ended, after the bridge had the broker keep the will back.
@Suite struct ReclaimedWillTests {
    private static let farewell = Packet.disconnect(
        Disconnect(reasonCode: 0x04, properties: [.sessionExpiryInterval(1)]))
    private static let mistake = Packet.disconnect(Disconnect(reasonCode: 0x81))

    private func connected(
        _ change: (inout Connect) -> Void = { $0.will = Will(topic: "w", qos: .atLeastOnce) }
    ) throws -> HoldBench {
        try HoldBench.connected(.v5_0, change)
    }

    @Test func aMistakeDoesNotDelayIt() throws {
        var bench = try connected()
        let ended = try bench.broker(Self.mistake)
        #expect(ended.down == [Self.mistake] && ended.actions.closesDevice)
        #expect(ended.end == .brokerDisconnected(code: 0x81))
        #expect(ended.actions.closesUplink && ended.actions.opensUplink && !bench.bench.session.isOver)
        guard case .connect(let connect)? = try bench.ready().up.first else { throw HoldBench.BenchError.noConnect }
        #expect(!connect.cleanStart && connect.clientID == "dev" && connect.properties.sessionExpiryInterval == 1)
        #expect(connect.will?.topic == "w" && connect.will?.properties.willDelayInterval == nil)
        let accepted = try bench.broker(.connack(Connack(sessionPresent: true)))
        #expect(accepted.up == [Self.farewell])
        #expect(accepted.actions.finishesUplink && accepted.down.isEmpty)
        #expect(bench.bench.session.uplinkEnded().closesUplink && bench.bench.session.isOver)
        #expect(bench.bench.session.afterlife == .seconds(3))
    }

    /// The broker has something against the device, or another device has taken its place.
    @Test(arguments: [0x87, 0x89, 0x8A, 0x8B, 0x8E, 0x98] as [UInt8])
    func nobodyComesAgainstTheBrokersWill(_ code: UInt8) throws {
        var bench = try connected()
        let ended = try bench.broker(.disconnect(Disconnect(reasonCode: code)))
        guard ended.end != nil else { return }
        #expect(!ended.actions.opensUplink && bench.bench.session.isOver)
    }

    /// A device that has lost its power.
    @Test(arguments: [true, false])
    func silenceDoesNotDelayIt(isReset: Bool) throws {
        var bench = try connected()
        let ended =
            isReset
            ? bench.bench.session.uplinkLost(.byBroker(reasonCode: 0x8D, description: "silent"))
            : try bench.broker(.disconnect(Disconnect(reasonCode: 0x8D))).actions
        #expect(ended.closesDevice && ended.opensUplink && ended.end != nil)
        _ = try bench.ready()
        #expect(try bench.broker(.connack(Connack())).up == [Self.farewell])
    }

    /// The end may have been a takeover.
    @Test(arguments: [true, false])
    func anEndWithoutAWordIsLeftAlone(isReset: Bool) throws {
        var bench = try connected()
        let ended =
            isReset
            ? bench.bench.session.uplinkLost(.byBroker(reasonCode: nil, description: "closed"))
            : bench.bench.session.uplinkEnded()
        #expect(ended.end == .brokerClosed && !ended.opensUplink && bench.bench.session.isOver)
    }

    /// The broker closes for what the device sent, as Mosquitto 2.0 does without a word.
    @Test func aPacketThatNoBrokerTakesIsNoTakeover() throws {
        let bad: [[UInt8]] = [
            [0x20, 2, 0, 0], [0x90, 3, 0, 1, 0], [0x40, 1, 0], [0x6F, 2, 0, 1], [0x40, 5, 0, 1, 0, 0, 7],
        ]
        for bytes in bad {
            var bench = try connected()
            let frame = try Frame(packet: ByteBuffer(bytes: bytes), version: .v5_0, reading: .lenient)
            #expect(bench.bench.session.deviceSent(.packet(frame)).toUplink == [ByteBuffer(bytes: bytes)], "\(bytes)")
            let ended = bench.bench.session.uplinkEnded()
            #expect(ended.end == .brokerClosed && ended.closesDevice && ended.opensUplink, "\(bytes)")
            _ = try bench.ready()
            #expect(try bench.broker(.connack(Connack(sessionPresent: true))).up == [Self.farewell])
        }
        // What the device sends after it shows that the broker has overlooked it.
        var bench = try connected()
        let frame = try Frame(packet: ByteBuffer(bytes: bad[0]), version: .v5_0, reading: .lenient)
        _ = bench.bench.session.deviceSent(.packet(frame))
        _ = try bench.device(.pingreq)
        #expect(!bench.bench.session.uplinkEnded().opensUplink && bench.bench.session.isOver)
    }

    /// A device that has vanished in the middle of a long message.
    private func cutOff(isReset: Bool = false) throws -> HoldBench {
        var bench = try connected()
        let publish = PublishHead(isDuplicate: false, qos: .atMostOnce, topic: "t", packetID: nil)
        let head = try publish.encode(version: .v5_0, payloadLength: 100)
        let begin = StreamedPublish(head: head, flags: 0, publish: publish, payloadLength: 100)
        _ = bench.bench.session.deviceSent(.publishBegin(begin))
        _ = bench.bench.session.deviceSent(.payload(ByteBuffer(repeating: 1, count: 50), isLast: false))
        let vanished = isReset ? bench.bench.session.deviceClosed() : bench.bench.session.deviceFinished()
        #expect(vanished.end == .deviceVanished && !vanished.finishesUplink && !bench.bench.session.isOver)
        return bench
    }

    /// Mosquitto does not say that another client has taken the session over.
    @Test(arguments: [true, false]) func aCloseBeforeTheEndOfTheLegIsNoAnswerToIt(isReset: Bool) throws {
        var bench = try cutOff(isReset: isReset)
        #expect(!bench.bench.session.uplinkEnded().opensUplink && bench.bench.session.isOver)
    }

    /// The broker has the last word about the device, although nobody is there to hear it.
    @Test(arguments: [0x87, 0x89, 0x8A, 0x8B, 0x8E, 0x98] as [UInt8], [true, false])
    func nobodyComesAgainstItAfterAMessageThatIsCutOff(_ code: UInt8, isReset: Bool) throws {
        for (isLegReset, isAsked) in [(true, false), (true, true), (false, false), (false, true)] {
            var bench = try cutOff(isReset: isReset)
            if isAsked { _ = bench.bench.session.timedOut(.goodbye) }
            let actions =
                if isLegReset {
                    bench.bench.session.uplinkLost(.byBroker(reasonCode: code, description: "gone"))
                } else {
                    try bench.broker(.disconnect(Disconnect(reasonCode: code))).actions
                        + bench.bench.session.uplinkEnded()
                }
            #expect(!actions.opensUplink && bench.bench.session.isOver)
        }
    }

    @Test func nobodyComesAfterTheShutdown() throws {
        var bench = try cutOff()
        #expect(bench.bench.session.timedOut(.goodbye).finishesUplink)
        #expect(!bench.bench.session.shutDown().opensUplink)
        #expect(!bench.bench.session.uplinkEnded().opensUplink && bench.bench.session.isOver)
    }

    /// Behind the beginning of a message, the broker can be told nothing.
    @Test(arguments: ["FIN", "lost", "timeout", "mistake"]) func aMessageThatIsCutOff(_ way: String) throws {
        var bench = try cutOff(isReset: way == "mistake")
        #expect(bench.bench.session.timedOut(.goodbye).finishesUplink && !bench.bench.session.isOver)
        let next =
            switch way {
            case "FIN": bench.bench.session.uplinkEnded()
            case "lost": bench.bench.session.uplinkLost(.network(description: "idle"))
            case "mistake": try bench.broker(Self.mistake).actions + bench.bench.session.uplinkEnded()
            default: bench.bench.session.timedOut(.goodbye)
            }
        #expect(next.opensUplink && !bench.bench.session.isOver)
        guard case .connect(let connect)? = try bench.ready().up.first else { throw HoldBench.BenchError.noConnect }
        #expect(connect.will?.properties.willDelayInterval == nil)
        #expect(try bench.broker(.connack(Connack(sessionPresent: true))).up == [Self.farewell])
    }

    /// The broker has read a bad packet before the end that the bridge sent.
    @Test func theDeviceMayHaveSaidItsLast() throws {
        var bench = try connected()
        #expect(bench.bench.session.deviceFinished().end == .deviceVanished)
        let ended = try bench.broker(Self.mistake)
        #expect(ended.down == [Self.mistake] && ended.actions.closesDevice && ended.end == nil)
        #expect(ended.actions.opensUplink && ended.actions.stopped.contains(.lastWords))
        _ = try bench.ready()
        #expect(try bench.broker(.connack(Connack())).up == [Self.farewell])
    }

    @Test func whereNothingIsKeptBackNothingIsReclaimed() throws {
        for change in [
            { (connect: inout Connect) in connect.will = nil },
            {
                $0.will = Will(topic: "w")
                $0.properties.sessionExpiryInterval = 60
            },
        ] {
            var bench = try connected(change)
            #expect(try !bench.broker(Self.mistake).actions.opensUplink && bench.bench.session.isOver)
        }
    }

    /// The bridge tries once, whatever the outcome is.
    @Test(arguments: ["refused", "lost", "FIN", "unreachable", "timeout", "garbage", "shutDown", "too early"])
    func itEnds(_ way: String) throws {
        var bench = try connected()
        _ = try bench.broker(Self.mistake)
        if way != "unreachable" { _ = try bench.ready() }
        let actions: [SessionAction]
        switch way {
        case "refused": actions = try bench.broker(.connack(Connack(sessionPresent: false, code: 0x87))).actions
        case "lost": actions = bench.bench.session.uplinkLost(.network(description: "idle"))
        case "FIN": actions = bench.bench.session.uplinkEnded()
        case "unreachable": actions = bench.bench.session.uplinkUnreachable("no route")
        case "timeout": actions = bench.bench.session.timedOut(.uplinkConnect)
        case "garbage":
            actions = bench.bench.session.uplinkMisbehaved(MQTTError(.malformed, clause: "c", message: "m"))
        case "shutDown": actions = bench.bench.session.shutDown()
        default: actions = try bench.broker(.pingresp).actions
        }
        #expect(actions.end == nil && !actions.opensUplink && actions.toUplink.isEmpty && actions.toDevice.isEmpty)
        #expect(actions.stopped == [.uplinkConnect] && bench.bench.session.isOver)
    }
}
