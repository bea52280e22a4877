import MQTTCodec
import NIOCore
import Testing

@testable import MQTTQUICClient

/// Several subscriptions to one filter, which are one at the broker.
struct ClientSessionSharedFilterTests {
    private func wish(_ packets: [Packet]) -> (filter: Subscription, identifier: UInt32?)? {
        guard packets.count == 1, case .subscribe(let packet)? = packets.first else { return nil }
        return packet.subscriptions.first.map { ($0, packet.properties.subscriptionIdentifiers.first) }
    }

    private func share(_ session: inout ClientSession) throws -> [Packet] {
        let first = MQTTSubscription("a", qos: .exactlyOnce, retainAsPublished: true)
        _ = try session.subscribe(operation(1), [first], identifier: 11, userProperties: [])
        _ = session.granted(1, [2])
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
        _ = session.granted(2, [2])
        let sent = try #require(try wish(session.abandon(operation(2)).sent()))
        #expect(sent.filter.qos == .exactlyOnce && sent.filter.retainAsPublished && sent.filter.retainHandling == 2)
        #expect(sent.identifier == 11)
        #expect(session.granted(3, [0x80]).isEmpty)
        #expect(session.subscriptions.entries.keys.map(\.number) == [1])
        #expect(session.flows[0].identifiers.count == 0)
    }

    @Test("When the first one is let go of, the other one's options count again")
    func refreshOptions() throws {
        var session = try ClientSession.online()
        _ = try share(&session)
        _ = session.granted(2, [2])
        let sent = try #require(try wish(session.abandon(operation(1)).sent()))
        #expect(sent.filter.qos == .atMostOnce && sent.filter.noLocal && !sent.filter.retainAsPublished)
        #expect(sent.identifier == 22)
    }

    @Test("A refresh waits for a resumed session, and a new session needs none", arguments: [true, false])
    func refreshLater(sessionPresent: Bool) throws {
        var session = try ClientSession.online()
        _ = try share(&session)
        _ = session.granted(2, [2])
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
        #expect(session.granted(2, [0x87]) == [.subscribed(operation(2), .failure(refusal))])
        #expect(session.recipients("a", [11]) == [1])
    }

    @Test("A filter that is being unsubscribed from is not subscribed to again")
    func noRefresh() throws {
        var session = try ClientSession.online()
        _ = try share(&session)
        _ = session.granted(2, [2])
        _ = try session.unsubscribe(operation(3), ["a"], userProperties: [])
        #expect(session.abandon(operation(2)).isEmpty)
    }

    @Test("A cancelled subscribe gives the filter back to the subscription that had it", arguments: [true, false])
    func undoOfShared(isLost: Bool) throws {
        var session = try ClientSession.online()
        _ = try share(&session)
        _ = session.cancelRequest(operation(2))
        let actions = isLost ? try session.reconnect(sessionPresent: true) : session.granted(2, [2])
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
            _ = session.granted(UInt16(number), [2])
        }
        #expect(session.abandon(operation(2)).isEmpty)
    }
}
