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
