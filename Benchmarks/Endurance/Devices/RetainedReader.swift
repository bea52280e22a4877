import MQTTCodec
import NIOCore

/// Reads all retained messages at the end of a run.
final class RetainedReader: WireOwner {
    private(set) var messages: [StreamID: Message] = [:]
    private(set) var hasAnswer = false
    private var wire: Wire?

    func start(_ dialer: Dialer) {
        dialer.connect(self, version: .v3_1_1) { [self] wire in
            self.wire = wire
            wire?.send(.connect(Connect(version: .v3_1_1, keepAlive: 60, clientID: "reader")), at: 0)
            let subscriptions = ["r/+", "s/+"].map { Subscription(filter: $0) }
            wire?.send(.subscribe(Subscribe(packetID: 1, subscriptions: subscriptions)), at: 0)
            wire?.flush()
        }
    }

    func received(_ packet: Packet, on wire: Wire) {
        switch packet {
        case .suback: hasAnswer = true
        case .publish(let head, let payload):
            guard head.retain, let message = Message(payload: payload) else { return }
            // What is in the topic of a device's state counts, whether the device or the broker has said it.
            let isState = message.stream.purpose == .will
            messages[isState ? StreamID(device: message.stream.device, purpose: .online) : message.stream] = message
        case .connect, .connack, .puback, .pubrec, .pubrel, .pubcomp, .subscribe, .unsubscribe, .unsuback, .pingreq,
            .pingresp, .disconnect, .auth:
            break
        }
    }

    func closed(_ wire: Wire, _ reason: String?) {
        self.wire = nil
    }
}
