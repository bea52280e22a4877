import MQTTCodec
import NIOCore
import Testing

@testable import MQTTQUICClient

struct ClientSessionFilterTests {
    @Test("SUBACK is told with its codes; if all are refusals it is an error")
    func outcomes() throws {
        var session = try ClientSession.online()
        _ = try session.subscribe(1, ["a", "b"])
        #expect(
            session.granted(1, [1, 0x87])
                == [.subscribed(operation(1), .success([.grantedQoS1, .notAuthorized]))])
        _ = try session.subscribe(2, ["c"])
        #expect(
            session.granted(2, [0x87]) == [
                .subscribed(operation(2), .failure(.rejected(.notAuthorized, reason: nil)))
            ])
        #expect(session.subscriptions.entries[operation(1)]?.subscriptions.map(\.filter) == ["a"])
        #expect(session.subscriptions.entries.count == 1)
        #expect(session.flows[0].identifiers.count == 0)
    }

    @Test("A message goes to the subscriptions that its identifiers name, and without them to all that match")
    func routing() throws {
        var session = try ClientSession.online()
        _ = try session.subscribe(1, ["a/#"], identifier: 11)
        _ = try session.subscribe(2, ["a/+"], identifier: 22)
        _ = try session.subscribe(3, ["b", "a/+"], identifier: 33)
        #expect(session.recipients("a/x", [11]) == [1])
        #expect(session.recipients("a/x", [11, 33]) == [1, 2, 3])
        // The later subscription to a/+ has replaced the earlier one.
        #expect(session.recipients("a/x", [33]) == [2, 3])
        #expect(session.recipients("a/x", []) == [1, 2, 3])
        #expect(session.recipients("a/x", [99]) == [1, 2, 3])
        #expect(session.recipients("b", [33]) == [3])
        #expect(session.recipients("c", []) == [])
    }

    @Test("A message whose topic no filter matches goes where its identifier says")
    func rewritten() throws {
        var session = try ClientSession.online()
        _ = try session.subscribe(1, ["$exclusive/a"], identifier: 11)
        _ = try session.subscribe(2, ["x/#"], identifier: 22)
        #expect(session.recipients("y/1", [22]) == [2])
        #expect(session.recipients("y/1", []) == [])
        #expect(session.recipients("a", []) == [1])
        #expect(session.recipients("$exclusive/b", []) == [])
    }

    @Test("In a new session everything is subscribed anew; in a resumed one only what was not answered")
    func again() throws {
        var session = try ClientSession.online()
        _ = try session.subscribe(1, ["a"])
        _ = session.granted(1, [1])
        _ = try session.subscribe(2, ["b"])
        #expect(try filters(session.reconnect(sessionPresent: true).sent()) == ["b"])
        #expect(try filters(session.reconnect(sessionPresent: false).sent()) == ["a", "b"])
        // The second connection's SUBSCRIBE may not have arrived before it was lost.
        #expect(try filters(session.reconnect(sessionPresent: true).sent()) == ["a", "b"])
    }

    /// The broker may have lost the session, made a new one, and then lost its CONNACK.
    @Test("Behind a CONNECT without CONNACK, also a session that the broker knows is told the filters")
    func doubtfulSession() throws {
        for mayArrive in [false, true] {
            var session = try ClientSession.online()
            _ = try session.subscribe(1, ["a"])
            _ = session.granted(1, [1])
            session.connectionLost()
            _ = try session.connectPacket(isReconnect: true)
            if mayArrive { session.connectMayArrive() }
            let packets = try session.reconnect(sessionPresent: true).sent()
            #expect(filters(packets) == (mayArrive ? ["a"] : []))
            if case .subscribe(let subscribe)? = packets.first {
                #expect(subscribe.subscriptions.map(\.retainHandling) == [2])
                _ = session.granted(subscribe.packetID, [1])
            }
            #expect(try filters(session.reconnect(sessionPresent: true).sent()) == [])
        }
    }

    @Test("A subscription that is refused the second time ends with an error")
    func refusedAgain() throws {
        var session = try ClientSession.online()
        _ = try session.subscribe(1, ["a"])
        _ = session.granted(1, [1])
        guard case .subscribe(let packet)? = try session.reconnect(sessionPresent: false).sent().first else {
            Issue.record("not subscribed")
            return
        }
        #expect(
            session.granted(packet.packetID, [0x87])
                == [
                    .subscriptionRefused(filter: "a", .notAuthorized, reason: nil),
                    .subscriptionEnded(operation(1), .rejected(.notAuthorized, reason: nil)),
                ])
        #expect(session.subscriptions.entries.isEmpty)
    }

    @Test("Of several filters those that are refused the second time are told, and the others go on")
    func someRefusedAgain() throws {
        var session = try ClientSession.online()
        _ = try session.subscribe(1, ["a", "b", "c"])
        _ = session.granted(1, [1, 1, 1])
        guard case .subscribe(let packet)? = try session.reconnect(sessionPresent: false).sent().first else {
            Issue.record("not subscribed")
            return
        }
        // What is left of the subscription is not what was sent when the answer comes.
        _ = try session.unsubscribe(operation(2), ["a"], userProperties: [])
        let unsubscribe = packet.packetID + 1
        _ = session.received(.unsuback(Unsuback(packetID: unsubscribe, codes: [0])), on: .control)
        #expect(
            session.granted(packet.packetID, [1, 0x87, 1])
                == [.subscriptionRefused(filter: "b", .notAuthorized, reason: nil)])
        #expect(session.subscriptions.entries[operation(1)]?.subscriptions.map(\.filter) == ["c"])
    }

    @Test("Letting go unsubscribes from what nobody else wants")
    func abandon() throws {
        var session = try ClientSession.online()
        _ = try session.subscribe(1, ["a", "b"])
        _ = session.granted(1, [1, 1])
        _ = try session.subscribe(2, ["b"])
        _ = session.granted(2, [1])
        #expect(try filters(session.abandon(operation(1)).sent()) == ["-a"])
        #expect(session.recipients("b", []) == [2])
    }

    @Test("A subscribe that is cancelled on its way is undone when it is granted")
    func cancel() throws {
        var session = try ClientSession.online()
        _ = try session.subscribe(1, ["a"])
        #expect(session.cancelRequest(operation(1)) == [.subscribed(operation(1), .failure(.cancelled))])
        #expect(try filters(session.granted(1, [1]).sent()) == ["-a"])
        // The same over a lost connection.
        _ = try session.subscribe(2, ["b"])
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
        _ = try session.subscribe(1, ["a", "b"])
        _ = session.granted(1, [1, 1])
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
        _ = try session.subscribe(1, ["a"])
        _ = session.granted(1, [1])
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
        _ = try session.subscribe(1, ["a"])
        _ = session.granted(1, [1])
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
