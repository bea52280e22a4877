import MQTTCodec
import NIOCore
import Testing

@testable import MQTTQUICClient

struct ClientSessionReceiveTests {
    private func publish(_ packetID: UInt16, _ qos: QoS, duplicate: Bool = false, _ text: String = "") -> Packet {
        .publish(
            PublishHead(isDuplicate: duplicate, qos: qos, topic: "a", packetID: packetID),
            payload: ByteBuffer(string: text))
    }

    private func delivery(_ actions: [ClientAction]) -> IncomingFlow.Delivery? {
        for case .deliver(_, let delivery, _) in actions { return delivery }
        return nil
    }

    @Test("Acknowledgements go out when messages are taken, in the order in which they came")
    func order() throws {
        var session = try ClientSession.online()
        let first = try #require(delivery(session.received(publish(5, .atLeastOnce), on: .control)))
        let second = try #require(delivery(session.received(publish(4, .exactlyOnce), on: .control)))
        #expect(session.taken(second).isEmpty)
        #expect(
            try session.taken(first).sent()
                == [.puback(PublishAck(packetID: 5)), .pubrec(PublishAck(packetID: 4))])
        #expect(session.taken(first).isEmpty)
    }

    @Test("QoS 2 is passed on once, also over a lost connection, and its PUBREC waits until the broker asks again")
    func exactlyOnce() throws {
        var session = try ClientSession.online()
        let first = try #require(delivery(session.received(publish(4, .exactlyOnce), on: .control)))
        _ = try session.reconnect(sessionPresent: true)
        #expect(session.taken(first).isEmpty)
        let again = session.received(publish(4, .exactlyOnce, duplicate: true), on: .control)
        #expect(again.told.isEmpty)
        #expect(try again.sent() == [.pubrec(PublishAck(packetID: 4))])
        #expect(
            try session.received(.pubrel(PublishAck(packetID: 4)), on: .control).sent()
                == [.pubcomp(PublishAck(packetID: 4))])
        #expect(
            try session.received(.pubrel(PublishAck(packetID: 4)), on: .control).sent()
                == [.pubcomp(PublishAck(packetID: 4, reasonCode: 0x92))])
    }

    @Test("The packet identifier of a message that the broker forgot belongs to its next message")
    func forgotten() throws {
        var session = try ClientSession.online()
        let first = try #require(delivery(session.received(publish(4, .exactlyOnce), on: .control)))
        _ = session.received(publish(5, .exactlyOnce), on: .control)
        _ = try session.reconnect(sessionPresent: true)
        let second = try #require(delivery(session.received(publish(4, .exactlyOnce), on: .control)))
        #expect(second != first)
        #expect(session.taken(first).isEmpty)
        #expect(try session.taken(second).sent() == [.pubrec(PublishAck(packetID: 4))])
        #expect(delivery(session.received(publish(5, .atLeastOnce, duplicate: true), on: .control)) != nil)
        #expect(
            try session.received(.pubrel(PublishAck(packetID: 5)), on: .control).sent()
                == [.pubcomp(PublishAck(packetID: 5, reasonCode: 0x92))])
    }

    @Test("A repetition of a message that never came is not one of the message that the broker forgot")
    func forgottenAndRepeated() throws {
        var session = try ClientSession.online()
        _ = session.received(publish(4, .exactlyOnce, "1"), on: .control)
        _ = try session.reconnect(sessionPresent: true)
        // The broker sends "2" here, and it gets lost.
        _ = try session.reconnect(sessionPresent: true)
        #expect(delivery(session.received(publish(4, .exactlyOnce, duplicate: true, "2"), on: .control)) != nil)
    }

    @Test("Messages that the broker forgot do not count in Receive Maximum; those that it sends again do")
    func receiveMaximumOverLostConnections() throws {
        var configuration = MQTTClientConfiguration.test
        configuration.receiveMaximum = 2
        var session = try ClientSession.online(configuration)
        for packetID in [1, 2] as [UInt16] { _ = session.received(publish(packetID, .exactlyOnce), on: .control) }
        _ = try session.reconnect(sessionPresent: true)
        #expect(session.received(publish(2, .exactlyOnce, duplicate: true), on: .control).isEmpty)
        #expect(delivery(session.received(publish(3, .exactlyOnce), on: .control)) != nil)
        let actions = session.received(publish(4, .exactlyOnce), on: .control)
        #expect(try actions.sent() == [.disconnect(Disconnect(reasonCode: 0x93))])
    }

    @Test("In a new session the same packet identifier is a new message")
    func newSession() throws {
        var session = try ClientSession.online()
        _ = session.received(publish(4, .exactlyOnce), on: .control)
        _ = try session.reconnect(sessionPresent: false)
        #expect(delivery(session.received(publish(4, .exactlyOnce), on: .control)) != nil)
    }

    @Test("A broker that sends more than Receive Maximum is told so")
    func receiveMaximum() throws {
        var configuration = MQTTClientConfiguration.test
        configuration.receiveMaximum = 2
        var session = try ClientSession.online(configuration)
        _ = session.received(publish(1, .atLeastOnce), on: .control)
        _ = session.received(publish(2, .exactlyOnce), on: .control)
        let actions = session.received(publish(3, .atLeastOnce), on: .control)
        #expect(try actions.sent() == [.disconnect(Disconnect(reasonCode: 0x93))])
    }

    @Test("A PUBREC for nothing is answered, so that the broker can forget it")
    func unknownPubrec() throws {
        var session = try ClientSession.online()
        #expect(
            try session.received(.pubrec(PublishAck(packetID: 3)), on: .control).sent()
                == [.pubrel(PublishAck(packetID: 3, reasonCode: 0x92))])
    }
}
