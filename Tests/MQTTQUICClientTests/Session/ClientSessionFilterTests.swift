import MQTTCodec
import NIOCore
import Testing

@testable import MQTTQUICClient

struct ClientSessionFilterTests {
    private func subscribe(
        _ session: inout ClientSession, _ number: UInt64, _ filters: [String], identifier: UInt32? = nil
    ) throws -> [Packet] {
        try session.subscribe(
            operation(number), filters.map { MQTTSubscription($0) }, identifier: identifier, userProperties: []
        ).sent()
    }

    private func granted(_ session: inout ClientSession, _ packetID: UInt16, _ codes: [UInt8]) -> [ClientAction] {
        session.received(.suback(Suback(packetID: packetID, codes: codes)), on: .control)
    }

    private func recipients(_ session: inout ClientSession, _ topic: String, _ identifiers: [UInt32]) -> [UInt64] {
        var properties = Properties()
        properties.subscriptionIdentifiers = identifiers
        let actions = session.received(
            .publish(PublishHead(topic: topic, properties: properties), payload: ByteBuffer()), on: .control)
        for case .deliver(_, _, let to) in actions { return to.map(\.number) }
        return []
    }

    @Test("SUBACK is told with its codes; if all are refusals it is an error")
    func outcomes() throws {
        var session = try ClientSession.online()
        _ = try subscribe(&session, 1, ["a", "b"])
        #expect(
            granted(&session, 1, [1, 0x87])
                == [.subscribed(operation(1), .success([.grantedQoS1, .notAuthorized]))])
        _ = try subscribe(&session, 2, ["c"])
        #expect(
            granted(&session, 2, [0x87]) == [
                .subscribed(operation(2), .failure(.rejected(.notAuthorized, reason: nil)))
            ])
        #expect(session.subscriptions.entries[operation(1)]?.subscriptions.map(\.filter) == ["a"])
        #expect(session.subscriptions.entries.count == 1)
        #expect(session.flows[0].identifiers.count == 0)
    }

    @Test("A message goes to the subscriptions that its identifiers name, and without them to all that match")
    func routing() throws {
        var session = try ClientSession.online()
        _ = try subscribe(&session, 1, ["a/#"], identifier: 11)
        _ = try subscribe(&session, 2, ["a/+"], identifier: 22)
        _ = try subscribe(&session, 3, ["b", "a/+"], identifier: 33)
        #expect(recipients(&session, "a/x", [11]) == [1])
        #expect(recipients(&session, "a/x", [11, 33]) == [1, 2, 3])
        // The later subscription to a/+ has replaced the earlier one.
        #expect(recipients(&session, "a/x", [33]) == [2, 3])
        #expect(recipients(&session, "a/x", []) == [1, 2, 3])
        #expect(recipients(&session, "a/x", [99]) == [1, 2, 3])
        #expect(recipients(&session, "b", [33]) == [3])
        #expect(recipients(&session, "c", []) == [])
    }

    @Test("A message whose topic no filter matches goes where its identifier says")
    func rewritten() throws {
        var session = try ClientSession.online()
        _ = try subscribe(&session, 1, ["$exclusive/a"], identifier: 11)
        _ = try subscribe(&session, 2, ["x/#"], identifier: 22)
        #expect(recipients(&session, "y/1", [22]) == [2])
        #expect(recipients(&session, "y/1", []) == [])
        #expect(recipients(&session, "a", []) == [1])
        #expect(recipients(&session, "$exclusive/b", []) == [])
    }

    @Test("In a new session everything is subscribed anew; in a resumed one only what was not answered")
    func again() throws {
        var session = try ClientSession.online()
        _ = try subscribe(&session, 1, ["a"])
        _ = granted(&session, 1, [1])
        _ = try subscribe(&session, 2, ["b"])
        #expect(try filters(session.reconnect(sessionPresent: true).sent()) == ["b"])
        #expect(try filters(session.reconnect(sessionPresent: false).sent()) == ["a", "b"])
        // The second connection's SUBSCRIBE may not have arrived before it was lost.
        #expect(try filters(session.reconnect(sessionPresent: true).sent()) == ["a", "b"])
    }

    private func filters(_ packets: [Packet]) -> [String] {
        packets.flatMap { packet -> [String] in
            switch packet {
            case .subscribe(let subscribe): subscribe.subscriptions.map(\.filter)
            case .unsubscribe(let unsubscribe): unsubscribe.filters.map { "-" + $0 }
            default: []
            }
        }
    }

    @Test("A subscription that is refused the second time ends with an error")
    func refusedAgain() throws {
        var session = try ClientSession.online()
        _ = try subscribe(&session, 1, ["a"])
        _ = granted(&session, 1, [1])
        guard case .subscribe(let packet)? = try session.reconnect(sessionPresent: false).sent().first else {
            Issue.record("not subscribed")
            return
        }
        #expect(
            granted(&session, packet.packetID, [0x87])
                == [
                    .subscriptionRefused(filter: "a", .notAuthorized, reason: nil),
                    .subscriptionEnded(operation(1), .rejected(.notAuthorized, reason: nil)),
                ])
        #expect(session.subscriptions.entries.isEmpty)
    }

    @Test("Of several filters those that are refused the second time are told, and the others go on")
    func someRefusedAgain() throws {
        var session = try ClientSession.online()
        _ = try subscribe(&session, 1, ["a", "b", "c"])
        _ = granted(&session, 1, [1, 1, 1])
        guard case .subscribe(let packet)? = try session.reconnect(sessionPresent: false).sent().first else {
            Issue.record("not subscribed")
            return
        }
        // What is left of the subscription is not what was sent when the answer comes.
        _ = try session.unsubscribe(operation(2), ["a"], userProperties: [])
        let unsubscribe = packet.packetID + 1
        _ = session.received(.unsuback(Unsuback(packetID: unsubscribe, codes: [0])), on: .control)
        #expect(
            granted(&session, packet.packetID, [1, 0x87, 1])
                == [.subscriptionRefused(filter: "b", .notAuthorized, reason: nil)])
        #expect(session.subscriptions.entries[operation(1)]?.subscriptions.map(\.filter) == ["c"])
    }

    private func wish(_ packets: [Packet]) -> (filter: Subscription, identifier: UInt32?)? {
        guard packets.count == 1, case .subscribe(let packet)? = packets.first else { return nil }
        return packet.subscriptions.first.map { ($0, packet.properties.subscriptionIdentifiers.first) }
    }

    private func share(_ session: inout ClientSession) throws -> [Packet] {
        let first = MQTTSubscription("a", qos: .exactlyOnce, retainAsPublished: true)
        _ = try session.subscribe(operation(1), [first], identifier: 11, userProperties: [])
        _ = granted(&session, 1, [2])
        let second = MQTTSubscription("a", qos: .atMostOnce, noLocal: true)
        return try session.subscribe(operation(2), [second], identifier: 22, userProperties: []).sent()
    }

    @Test("A second subscription to a filter takes nothing away from the first one")
    func sharedFilter() throws {
        var session = try ClientSession.online()
        let sent = try #require(try wish(share(&session)))
        #expect(sent.filter.qos == .exactlyOnce && !sent.filter.noLocal && sent.filter.retainAsPublished)
        #expect(sent.identifier == 22)
    }

    @Test("When the last of several subscriptions to a filter is let go of, the broker is told what remains")
    func refresh() throws {
        var session = try ClientSession.online()
        _ = try share(&session)
        _ = granted(&session, 2, [2])
        let sent = try #require(try wish(session.abandon(operation(2)).sent()))
        #expect(sent.filter.qos == .exactlyOnce && sent.filter.retainAsPublished && sent.filter.retainHandling == 2)
        #expect(sent.identifier == 11)
        #expect(granted(&session, 3, [0x80]).isEmpty)
        #expect(session.subscriptions.entries.keys.map(\.number) == [1])
        #expect(session.flows[0].identifiers.count == 0)
    }

    @Test("When the first one is let go of, the other one's options count again")
    func refreshOptions() throws {
        var session = try ClientSession.online()
        _ = try share(&session)
        _ = granted(&session, 2, [2])
        let sent = try #require(try wish(session.abandon(operation(1)).sent()))
        #expect(sent.filter.qos == .atMostOnce && sent.filter.noLocal && !sent.filter.retainAsPublished)
        #expect(sent.identifier == 22)
    }

    @Test("A refresh waits for a resumed session, and a new session needs none", arguments: [true, false])
    func refreshLater(sessionPresent: Bool) throws {
        var session = try ClientSession.online()
        _ = try share(&session)
        _ = granted(&session, 2, [2])
        session.connectionLost()
        #expect(session.abandon(operation(2)).isEmpty)
        let sent = try #require(try wish(session.reconnect(sessionPresent: sessionPresent).sent()))
        #expect(sent.filter.retainHandling == (sessionPresent ? 2 : 0) && sent.identifier == 11)
    }

    @Test("When a second subscription to a filter is refused, the first one goes on")
    func refusedShare() throws {
        var session = try ClientSession.online()
        _ = try share(&session)
        let refusal = MQTTClientError.rejected(.notAuthorized, reason: nil)
        #expect(granted(&session, 2, [0x87]) == [.subscribed(operation(2), .failure(refusal))])
        #expect(recipients(&session, "a", [11]) == [1])
    }

    @Test("A filter that is being unsubscribed from is not subscribed to again")
    func noRefresh() throws {
        var session = try ClientSession.online()
        _ = try share(&session)
        _ = granted(&session, 2, [2])
        _ = try session.unsubscribe(operation(3), ["a"], userProperties: [])
        #expect(session.abandon(operation(2)).isEmpty)
    }

    @Test("A cancelled subscribe gives the filter back to the subscription that had it", arguments: [true, false])
    func undoOfShared(isLost: Bool) throws {
        var session = try ClientSession.online()
        _ = try share(&session)
        _ = session.cancelRequest(operation(2))
        let actions = isLost ? try session.reconnect(sessionPresent: true) : granted(&session, 2, [2])
        let sent = try #require(try wish(actions.sent()))
        #expect(sent.identifier == 11 && sent.filter.qos == .exactlyOnce)
        #expect(session.subscriptions.entries.keys.map(\.number) == [1])
    }

    @Test("MQTT 3.1.1 has no identifiers that would have to be given back")
    func noRefreshIn311() throws {
        var configuration = MQTTClientConfiguration.test
        configuration.version = .v3_1_1
        var session = try ClientSession.online(configuration)
        for (number, qos) in [(1, MQTTQoS.exactlyOnce), (2, .atMostOnce)] {
            let actions = try session.subscribe(
                operation(UInt64(number)), [MQTTSubscription("a", qos: qos)], identifier: nil, userProperties: [])
            #expect(try wish(actions.sent(version: .v3_1_1))?.filter.qos == .exactlyOnce)
            _ = granted(&session, UInt16(number), [2])
        }
        #expect(session.abandon(operation(2)).isEmpty)
    }

    @Test("Letting go unsubscribes from what nobody else wants")
    func abandon() throws {
        var session = try ClientSession.online()
        _ = try subscribe(&session, 1, ["a", "b"])
        _ = granted(&session, 1, [1, 1])
        _ = try subscribe(&session, 2, ["b"])
        _ = granted(&session, 2, [1])
        #expect(try filters(session.abandon(operation(1)).sent()) == ["-a"])
        #expect(recipients(&session, "b", []) == [2])
    }

    @Test("A subscribe that is cancelled on its way is undone when it is granted")
    func cancel() throws {
        var session = try ClientSession.online()
        _ = try subscribe(&session, 1, ["a"])
        #expect(session.cancelRequest(operation(1)) == [.subscribed(operation(1), .failure(.cancelled))])
        #expect(try filters(granted(&session, 1, [1]).sent()) == ["-a"])
        // The same over a lost connection.
        _ = try subscribe(&session, 2, ["b"])
        _ = session.cancelRequest(operation(2))
        session.connectionLost()
        // The sequence that nobody got is let go of.
        #expect(session.abandon(operation(2)).isEmpty)
        #expect(try filters(session.reconnect(sessionPresent: true).sent()) == ["-a", "-b"])
        #expect(session.subscriptions.entries.isEmpty)
    }

    @Test("UNSUBSCRIBE ends the subscriptions that have no filter left")
    func unsubscribe() throws {
        var session = try ClientSession.online()
        _ = try subscribe(&session, 1, ["a", "b"])
        _ = granted(&session, 1, [1, 1])
        _ = try session.unsubscribe(operation(2), ["a"], userProperties: [])
        #expect(
            session.received(.unsuback(Unsuback(packetID: 2, codes: [0])), on: .control)
                == [.unsubscribed(operation(2), .success([.success]))])
        _ = try session.unsubscribe(operation(3), ["b", "x"], userProperties: [])
        #expect(
            session.received(.unsuback(Unsuback(packetID: 3, codes: [0, 0x11])), on: .control)
                == [
                    .subscriptionEnded(operation(1), nil),
                    .unsubscribed(operation(3), .success([.success, .noSubscriptionExisted])),
                ])
    }

    @Test("An UNSUBSCRIBE that was sent and cancelled ends the subscription, because the broker carries it out")
    func cancelUnsubscribe() throws {
        var session = try ClientSession.online()
        _ = try subscribe(&session, 1, ["a"])
        _ = granted(&session, 1, [1])
        _ = try session.unsubscribe(operation(2), ["a"], userProperties: [])
        #expect(session.cancelRequest(operation(2)) == [.unsubscribed(operation(2), .failure(.cancelled))])
        #expect(
            session.received(.unsuback(Unsuback(packetID: 2, codes: [0])), on: .control)
                == [.subscriptionEnded(operation(1), nil)])
        #expect(session.subscriptions.entries.isEmpty)
    }

    @Test("An UNSUBSCRIBE that waits for a new session comes after the SUBSCRIBE that it undoes")
    func unsubscribeAfterLoss() throws {
        var session = try ClientSession.online()
        _ = try subscribe(&session, 1, ["a"])
        _ = granted(&session, 1, [1])
        _ = try session.unsubscribe(operation(2), ["a"], userProperties: [])
        #expect(try filters(session.reconnect(sessionPresent: false).sent()) == ["a", "-a"])
    }

    @Test("What the broker does not have is refused")
    func notSupported() throws {
        for (property, filter) in [
            (Property.wildcardSubscriptionAvailable(false), "a/#"), (.sharedSubscriptionAvailable(false), "$share/g/a"),
        ] {
            var session = try ClientSession.online(.test, [property])
            let actions = try session.subscribe(
                operation(1), [MQTTSubscription(filter)], identifier: nil, userProperties: [])
            guard case .subscribed(_, .failure(.notSupportedByBroker))? = actions.first, actions.count == 1 else {
                Issue.record("\(actions)")
                continue
            }
            #expect(session.flows[0].identifiers.count == 0)
        }
    }

    @Test("What makes no sense is refused", arguments: ["", "a#", "a/+b", "#/a"])
    func invalid(filter: String) throws {
        var session = try ClientSession.online()
        #expect(throws: MQTTClientError.self) {
            try session.subscribe(operation(1), [MQTTSubscription(filter)], identifier: nil, userProperties: [])
        }
    }
}
