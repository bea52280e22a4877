import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

// Limits, topic aliases and subscriptions on the new leg.
extension HoldReturnTests {
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
        // The device is told when it asks.
        #expect(try bench.device(.ack(.pubrel, 1)).down == [.ack(.pubcomp, 1)])
    }

    /// A device uses an identifier again before its answer: one message takes one place.
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
        #expect(try bench.lose().end == .uplinkLost("idle", .aliases))
    }

    @Test func moreSubscriptionsThanThereIsRoomForEndWithTheLeg() throws {
        var bench = try HoldBench.connected(.v5_0, buffer: 1_000)
        for id in 1...11 as ClosedRange<UInt16> {
            _ = try bench.device(
                .subscribe(Subscribe(packetID: id, subscriptions: [Subscription(filter: "a/\(id)", qos: .atMostOnce)])))
            _ = try bench.broker(.suback(Suback(packetID: id, codes: [0])))
        }
        let end = try #require(try bench.lose().end)
        #expect(end == .uplinkLost("idle", .subscriptions))
        #expect(
            end.description.contains("could not be held, because its subscriptions need more room than uplink.hold"))
    }

    /// It goes up all the same, and takes nothing of the room that all sessions share.
    @Test(arguments: [(isAnswered: false, HoldObstacle.sending), (isAnswered: true, .subscriptions)])
    func aRequestThatIsTooLongToBeKeptEndsWithTheLeg(isAnswered: Bool, obstacle: HoldObstacle) throws {
        for length in [1_500, 3_000] {
            var bench = try HoldBench.connected(.v5_0, buffer: 1_000)
            bench.budget.limit = 2_000
            let filter = String(repeating: "a", count: length)
            let sent = try bench.device(
                .subscribe(Subscribe(packetID: 7, subscriptions: [Subscription(filter: filter, qos: .atMostOnce)])))
            #expect(sent.up.count == 1)
            let isKept = length < 2_000
            #expect((bench.budget.usedBytes > 0) == isKept)
            #expect(bench.accepts != isKept)
            if isAnswered {
                #expect(try bench.broker(.suback(Suback(packetID: 7, codes: [0]))).down.count == 1)
                #expect(bench.accepts)
            }
            let end = try bench.lose().end
            // A subscription of more bytes than the session may keep is not remembered either.
            #expect(end == (isKept && !isAnswered ? nil : .uplinkLost("idle", obstacle)), "\(length)")
        }
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
        // A request in flight when the leg is lost goes again by itself.
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
        #expect(requests.dropLast().allSatisfy { $0.subscriptions.allSatisfy { $0.retainHandling == 0 && $0.noLocal } })
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

    /// Two filters that only look the same are two filters to the broker ([MQTT-1.5.4-1] knows no normal form).
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

    /// The device need not subscribe again if the broker knows its session, so the bridge does not know its filters.
    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func aSessionFromEarlierIsNotReplaced(_ version: MQTTVersion) throws {
        let own: (inout Connect) -> Void = {
            $0.cleanStart = false
            if version == .v5_0 { $0.properties.sessionExpiryInterval = 1_000 }
        }
        var bench = try HoldBench.connected(version, connack: Connack(sessionPresent: true), own)
        try bench.lose()
        #expect(try bench.comeBack(true).end == nil)
        try bench.lose()
        let back = try bench.comeBack(false)
        #expect(back.end.map { "\($0)" }?.contains("earlier connections") == true && back.actions.closesDevice)
        // A session that began with this connection has nothing else.
        var new = try HoldBench.connected(version, own)
        try new.lose()
        #expect(try new.comeBack(false).end == nil)
    }

    /// The broker would begin to count anew.
    @Test func noMoreThanTheReceiveMaximumIsDelivered() throws {
        for limit: UInt16? in [2, nil] {
            for isAnswered in [true, false] {
                var bench = try HoldBench.connected(.v5_0) { $0.properties.receiveMaximum = limit }
                _ = try bench.broker(.message("a", .atLeastOnce, 1))
                try bench.lose()
                if isAnswered { _ = try bench.device(.ack(.puback, 1)) }
                let back = try bench.comeBack(false)
                #expect((back.end == nil) == (isAnswered || limit == nil))
            }
        }
    }

    @Test func retainedMessagesAreAskedForAsTheDeviceDid() throws {
        var bench = try HoldBench.connected(.v5_0)
        for handling: UInt8 in 0...2 {
            let subscription = Subscription(filter: "\(handling)", retainHandling: handling)
            _ = try bench.device(.subscribe(Subscribe(packetID: 1, subscriptions: [subscription])))
            _ = try bench.broker(.suback(1, [0]))
        }
        try bench.lose()
        guard case .subscribe(let again)? = try bench.comeBack(false).up.first else {
            Issue.record("no SUBSCRIBE")
            return
        }
        #expect(again.subscriptions.map(\.retainHandling) == [0, 1, 2])
    }
}
