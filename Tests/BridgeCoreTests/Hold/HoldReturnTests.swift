import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// The new leg: CONNECT, what the broker may say, and what it no longer allows.
@Suite struct HoldReturnTests {
    @Test(arguments: [(MQTTVersion.v3_1, true), (.v3_1_1, true), (.v3_1_1, false), (.v5_0, true), (.v5_0, false)])
    func connectIsRepeated(_ version: MQTTVersion, _ isClean: Bool) throws {
        var bench = try HoldBench.connected(version) {
            $0.cleanStart = isClean
            $0.username = "u"
            $0.password = ByteBuffer(string: "p")
            $0.keepAlive = 9
            $0.will = Will(topic: "gone")
            if version == .v5_0 { $0.properties = [.topicAliasMaximum(5), .receiveMaximum(3)] }
        }
        try bench.lose()
        let outcome = try bench.ready()
        guard case .connect(let connect)? = outcome.up.first else {
            Issue.record("no CONNECT")
            return
        }
        #expect(connect.cleanStart == (version == .v5_0 ? false : isClean))
        #expect(connect.clientID == "dev" && connect.username == "u" && connect.password == ByteBuffer(string: "p"))
        var will = Will(topic: "gone")
        if version == .v5_0 { will.properties.willDelayInterval = 300 }
        #expect(connect.keepAlive == 9 && connect.will == will)
        #expect(connect.properties.topicAliasMaximum == nil)
        #expect(connect.properties.receiveMaximum == (version == .v5_0 ? 3 : nil))
        #expect(outcome.actions.started == [.uplinkConnect])
    }

    @Test func theAssignedClientIDIsUsed() throws {
        var bench = try HoldBench.connected(
            .v5_0, connack: Connack(properties: [.assignedClientIdentifier("given")])
        ) { $0.clientID = "" }
        try bench.lose()
        guard case .connect(let connect)? = try bench.ready().up.first else { return }
        #expect(connect.clientID == "given")
    }

    @Test(arguments: [
        (MQTTVersion.v5_0, UInt8(0x88)), (.v5_0, 0x89), (.v5_0, 0x8B), (.v5_0, 0x9F), (.v3_1_1, 3), (.v3_1, 3),
    ])
    func aBusyBrokerIsAskedAgain(_ version: MQTTVersion, _ code: UInt8) throws {
        var bench = try HoldBench.connected(version)
        try bench.lose()
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            _ = try bench.ready()
            let refused = try bench.broker(.connack(Connack(code: code)))
            #expect(refused.end == nil && refused.actions.closesUplink && !refused.opens && refused.down.isEmpty)
            let delay = refused.actions.lazy.compactMap {
                if case .start(.retry, let delay) = $0 { delay } else { nil }
            }
            #expect(delay.first == .seconds(seconds))
            #expect(try bench.outcome(bench.bench.session.timedOut(.retry)).opens)
        }
        #expect(try bench.comeBack(true).notes.count == 1)
    }

    @Test(arguments: [
        (MQTTVersion.v5_0, UInt8(0x87), UInt8?(0x87)), (.v5_0, 0x86, 0x87), (.v5_0, 0x8A, 0x87), (.v5_0, 0x85, 0x87),
        (.v5_0, 0x97, 0x97), (.v5_0, 0x84, 0x80), (.v3_1_1, 5, nil), (.v3_1_1, 2, nil), (.v3_1, 4, nil),
    ])
    func aRefusalIsPassedOn(_ version: MQTTVersion, _ code: UInt8, _ told: UInt8?) throws {
        var bench = try HoldBench.connected(version)
        try bench.lose()
        _ = try bench.ready()
        let refused = try bench.broker(.connack(Connack(code: code)))
        #expect(refused.end == .refusedByBroker(code: code))
        #expect(refused.actions.closesDevice && refused.actions.closesUplink && bench.bench.session.isOver)
        var said: UInt8?
        if case .disconnect(let disconnect)? = refused.down.first { said = disconnect.reasonCode }
        #expect(said == told)
    }

    @Test func aBrokerThatSendsTheDeviceAwayAgainIsGivenTime() throws {
        let busy = Packet.disconnect(Disconnect(reasonCode: 0x89))
        var bench = try HoldBench.connected(.v5_0)
        #expect(try bench.broker(busy).opens)
        _ = try bench.comeBack(true)
        let again = try bench.broker(busy)
        #expect(!again.opens && again.actions.closesUplink && again.actions.started == [.hold, .retry])
        _ = bench.bench.session.timedOut(.retry)
        _ = try bench.comeBack(true)
        _ = try bench.device(.pingreq)
        _ = try bench.broker(.pingresp)
        #expect(try bench.broker(busy).opens)
    }

    @Test func aDeviceWhosePacketsBreakEachLegDoesNotGoRound() throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = try bench.device(.message("poison", .atLeastOnce, 1))
        #expect(try bench.lose().opens)
        _ = try bench.comeBack(true)
        // Once is chance.
        #expect(try bench.lose().opens)
        for seconds in [1, 2, 4] {
            _ = try bench.comeBack(true)
            let lost = try bench.lose()
            #expect(!lost.opens && lost.end == nil)
            let delay = lost.actions.lazy.compactMap { if case .start(.retry, let delay) = $0 { delay } else { nil } }
            #expect(delay.first == .seconds(seconds))
            #expect(try bench.outcome(bench.bench.session.timedOut(.retry)).opens)
        }
        _ = try bench.comeBack(true)
        _ = try bench.broker(.ack(.puback, 1))
        #expect(try bench.lose().opens)
    }

    @Test func aLegThatCameBackToTheLineAndFoundNoneIsAskedForAgain() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        // CONNECT goes out on a connection made ahead of time, which is dead, and so is the broker.
        _ = try bench.ready()
        let unreachable = try bench.outcome(bench.bench.session.uplinkUnreachable("no answer"))
        #expect(unreachable.opens && unreachable.end == nil && unreachable.actions.stopped == [.uplinkConnect])
        #expect(try bench.comeBack(true).notes.count == 1)
    }

    @Test func whatEndsOnTheWayBackIsTriedAgain() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        _ = try bench.ready()
        let lost = try bench.lose()
        #expect(lost.actions.started == [.retry] && !lost.opens && lost.notes.isEmpty)
        _ = bench.bench.session.timedOut(.retry)
        _ = try bench.ready()
        let ended = try bench.outcome(bench.bench.session.uplinkEnded())
        #expect(ended.actions.started == [.retry] && ended.actions.closesUplink && ended.end == nil)
        _ = bench.bench.session.timedOut(.retry)
        _ = try bench.ready()
        let late = try bench.outcome(bench.bench.session.timedOut(.uplinkConnect))
        #expect(late.actions.closesUplink && late.opens)
        #expect(try bench.comeBack(true).notes.count == 1)
    }

    @Test func aDisconnectOnTheWayBackIsTheBrokersWord() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        _ = try bench.ready()
        let refused = try bench.device(.pingreq)
        #expect(refused.down == [.pingresp])
        #expect(try bench.broker(.disconnect(Disconnect(reasonCode: 0x8A))).end == .brokerDisconnected(code: 0x8A))
    }

    @Test func aFirstPacketThatIsNoConnackIsAViolation() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        _ = try bench.ready()
        guard case .brokerViolation? = try bench.broker(.message("a")).end else {
            Issue.record("accepted")
            return
        }
    }

    // MARK: Limits

    @Test func theNewReceiveMaximumIsKept() throws {
        var bench = try HoldBench.connected(.v5_0)
        for id in 1...5 as ClosedRange<UInt16> { _ = try bench.device(.message("a", .atLeastOnce, id)) }
        try bench.lose()
        _ = try bench.device(.message("q"))
        let back = try bench.comeBack(true, [.receiveMaximum(2)])
        #expect(back.up == [1, 2].map { Packet.message("a", .atLeastOnce, $0).again })
        #expect(try bench.broker(.ack(.puback, 1)).up == [Packet.message("a", .atLeastOnce, 3).again])
        #expect(try bench.broker(.ack(.puback, 2)).up == [Packet.message("a", .atLeastOnce, 4).again])
        #expect(
            try bench.broker(.ack(.puback, 3)).up == [Packet.message("a", .atLeastOnce, 5).again, .message("q")])
        #expect(bench.budget.usedBytes > 0)
        _ = try bench.broker(.ack(.puback, 4))
        _ = try bench.broker(.ack(.puback, 5))
        #expect(bench.budget.usedBytes == 0)
    }

    @Test func theWindowOpensWithoutTheDevice() throws {
        // The device's PUBREL would stand behind messages that are not read any more.
        var bench = try HoldBench.connected(.v5_0, buffer: 300)
        _ = try bench.device(.message("a", .exactlyOnce, 1))
        try bench.lose()
        _ = try bench.device(.message("b", .exactlyOnce, 2))
        _ = try bench.device(.publish("c", qos: .exactlyOnce, id: 3, payload: String(repeating: "x", count: 200)))
        #expect(!bench.accepts)
        #expect(try bench.comeBack(true, [.receiveMaximum(1)]).up.count == 1)
        let received = try bench.broker(.ack(.pubrec, 1))
        #expect(received.down == [.ack(.pubrec, 1)] && received.up == [.ack(.pubrel, 1)])
        let completed = try bench.broker(.ack(.pubcomp, 1))
        #expect(completed.down.isEmpty && completed.up == [.message("b", .exactlyOnce, 2)])
        // The device hears of it when it asks.
        #expect(try bench.device(.ack(.pubrel, 1)).down == [.ack(.pubcomp, 1)])
    }

    /// A device that uses an identifier again before its answer: one message takes one place.
    @Test func aPlaceInTheWindowIsGivenBack() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        _ = try bench.comeBack(true, [.receiveMaximum(2)])
        for round in 0..<10 {
            let message = Packet.message("\(round)", round % 2 == 0 ? .atLeastOnce : .exactlyOnce, 1)
            #expect(try bench.device(message).up == [message])
            #expect(try bench.device(message.again).up == [message.again])
        }
        #expect(try bench.device(.message("other", .atLeastOnce, 2)).up.count == 1)
        #expect(try bench.device(.message("beyond", .atLeastOnce, 3)).up.isEmpty)
        _ = try bench.broker(.ack(.puback, 2))
        for (id, type) in [(UInt16(1), PacketType.pubrec), (1, .pubcomp), (3, .puback)] {
            _ = try bench.broker(.ack(type, id))
        }
        let last = (10...13).map { Packet.message("a", .atLeastOnce, $0) }
        #expect(try last.map { try bench.device($0).up.count } == [1, 1, 0, 0])
    }

    @Test func aPacketThatTheBrokerNoLongerTakesEndsTheSession() throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = try bench.device(.publish("a", qos: .atLeastOnce, id: 1, payload: String(repeating: "x", count: 200)))
        try bench.lose()
        let back = try bench.comeBack(true, [.maximumPacketSize(100)])
        guard case .notAllowed? = back.end else {
            Issue.record("went on: \(back)")
            return
        }
        guard case .disconnect(let told)? = back.down.first else { return }
        #expect(told.reasonCode == 0x95)
        #expect(bench.budget.usedBytes == 0)
    }

    @Test func aShorterKeepaliveCannotBeTold() throws {
        var bench = try HoldBench.connected(.v5_0) { $0.keepAlive = 60 }
        try bench.lose()
        #expect(try bench.comeBack(true, [.serverKeepAlive(10)]).end != nil)
        bench = try HoldBench.connected(.v5_0) { $0.keepAlive = 60 }
        try bench.lose()
        #expect(try bench.comeBack(true, [.serverKeepAlive(90)]).end == nil)
    }

    // MARK: Aliases

    @Test func aliasesLiveOn() throws {
        func message(_ topic: String, _ alias: UInt16?, _ id: UInt16) -> Packet {
            .publish(topic, qos: .atLeastOnce, id: id, alias.map { [.topicAlias($0)] } ?? [])
        }
        var bench = try HoldBench.connected(.v5_0, connack: Connack(properties: [.topicAliasMaximum(2)]))
        #expect(try bench.device(message("a", 1, 1)).up == [message("a", 1, 1)])
        #expect(try bench.device(message("b", 2, 2)).up == [message("b", 2, 2)])
        #expect(try bench.device(message("", 1, 3)).up == [message("", 1, 3)])
        try bench.lose()
        _ = try bench.device(message("", 2, 4))
        let back = try bench.comeBack(true, [.topicAliasMaximum(1)])
        #expect(
            back.up == [
                message("a", nil, 1).again, message("b", nil, 2).again, message("a", nil, 3).again,
                message("b", nil, 4),
            ])
        #expect(try bench.device(message("", 1, 5)).up == [message("a", 1, 5)])
        #expect(try bench.device(message("", 1, 6)).up == [message("", 1, 6)])
        #expect(try bench.device(message("", 2, 7)).up == [message("b", nil, 7)])
    }

    @Test func firstAliasesAfterTheReturnKeepToTheNewMaximum() throws {
        var bench = try HoldBench.connected(.v5_0, connack: Connack(properties: [.topicAliasMaximum(2)]))
        try bench.lose()
        _ = try bench.comeBack(true)
        #expect(try bench.device(.publish("a", [.topicAlias(1)])).up == [.publish("a")])
        #expect(try bench.device(.publish("", [.topicAlias(1)])).up == [.publish("a")])
    }

    @Test func aliasesThatAreTooMuchToRememberEndWithTheLeg() throws {
        var bench = try HoldBench.connected(.v5_0, connack: Connack(properties: [.topicAliasMaximum(10)]))
        for alias in 1...5 as ClosedRange<UInt16> {
            let topic = String(repeating: "t", count: 60_000)
            _ = try bench.device(.publish(topic, [.topicAlias(alias)]))
        }
        #expect(try bench.lose().end == .uplinkLost("idle"))
    }

    // MARK: Subscriptions

    @Test func subscriptionsAreGroupedAndSplit() throws {
        var bench = try HoldBench.connected(.v5_0)
        func subscribe(_ id: UInt16, _ filters: [String], _ identifier: UInt32?) throws {
            let properties: Properties = identifier.map { [.subscriptionIdentifier($0)] } ?? []
            let subscriptions = filters.map { Subscription(filter: $0, qos: .atLeastOnce, noLocal: true) }
            _ = try bench.device(
                .subscribe(Subscribe(packetID: id, properties: properties, subscriptions: subscriptions)))
            _ = try bench.broker(.suback(Suback(packetID: id, codes: filters.map { $0 == "no" ? 0x87 : 1 })))
        }
        try subscribe(1, (0..<100).map { "f\($0)" }, nil)
        try subscribe(2, ["g", "no"], 7)
        try subscribe(3, ["f3"], 7)
        _ = try bench.device(.unsubscribe(4, "f4", "f5"))
        _ = try bench.broker(.unsuback(4, [0, 0x87]))
        // Under way when the leg is lost: it goes again by itself.
        _ = try bench.device(.subscribe(5, ("late", .atMostOnce)))
        try bench.lose()
        let back = try bench.comeBack(false)
        var requests: [Subscribe] = []
        for case .subscribe(let subscribe) in back.up { requests.append(subscribe) }
        #expect(requests.map(\.subscriptions.count) == [64, 34, 2, 1])
        #expect(requests.map { $0.properties.subscriptionIdentifiers.first } == [nil, nil, 7, nil])
        #expect(Set(requests.map(\.packetID)).count == 4 && requests.last?.packetID == 5)
        let filters = Set(requests.flatMap { $0.subscriptions.map(\.filter) })
        #expect(
            filters.contains("f5") && filters.contains("late") && !filters.contains("f4") && !filters.contains("no"))
        #expect(requests.dropLast().allSatisfy { $0.subscriptions.allSatisfy { $0.retainHandling == 2 && $0.noLocal } })
    }

    @Test func anIdentifierOfTheBridgesIsWaitedFor() throws {
        var bench = try HoldBench.connected(.v3_1_1)
        _ = try bench.device(.subscribe(1, ("a", .atMostOnce)))
        _ = try bench.broker(.suback(1, [0]))
        try bench.lose()
        let back = try bench.comeBack(false)
        guard case .subscribe(let own)? = back.up.first else { return }
        let message = Packet.message("b", .atLeastOnce, own.packetID)
        #expect(try bench.device(message).up.isEmpty)
        #expect(try bench.device(.message("c")).up.isEmpty)
        let answered = try bench.broker(.suback(own.packetID, [0x80]))
        #expect(answered.down.isEmpty && answered.up == [message, .message("c")])
        #expect(answered.notes == [.subscriptionsLost(1)])
    }

    /// Two filters that look the same are two to the broker ([MQTT-1.5.4-1] knows no normal form).
    @Test func filtersAreBytes() throws {
        var bench = try HoldBench.connected(.v5_0)
        let filters = ["caf\u{E9}/x", "cafe\u{301}/x"]
        for (index, filter) in filters.enumerated() {
            let packetID = UInt16(index + 1)
            let subscription = Subscription(filter: filter)
            _ = try bench.device(.subscribe(Subscribe(packetID: packetID, subscriptions: [subscription])))
            _ = try bench.broker(.suback(Suback(packetID: packetID, codes: [0])))
        }
        try bench.lose()
        let back = try bench.comeBack(false)
        let asked = back.up.flatMap { packet -> [[UInt8]] in
            guard case .subscribe(let subscribe) = packet else { return [] }
            return subscribe.subscriptions.map { Array($0.filter.utf8) }
        }
        #expect(Set(asked) == Set(filters.map { Array($0.utf8) }))
    }
}
