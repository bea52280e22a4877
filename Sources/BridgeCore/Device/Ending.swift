import MQTTCodec
import NIOCore

/// The end of a session: the reason, and what either side has to be told.
struct Ending: Sendable {
    var why: SessionEnd
    /// What a 5.0 device is told instead of what follows from `why`.
    var reasonCode: ReasonCode?
    /// The device's own DISCONNECT, which goes to the broker.
    var toBroker: ByteBuffer?
    /// The broker's own last packet, which goes to the device.
    var toDevice: ByteBuffer?
    /// What is left of the uplink leg.
    var uplink = UplinkRemains.open
    /// This matters only for a device in a session of the gateway, because otherwise the broker has the will.
    var will = WillFate.due

    init(
        _ why: SessionEnd, reasonCode: ReasonCode? = nil, toBroker: ByteBuffer? = nil, toDevice: ByteBuffer? = nil,
        uplink: UplinkRemains = .open, will: WillFate = .due
    ) {
        self.why = why
        self.reasonCode = reasonCode
        self.toBroker = toBroker
        self.toDevice = toDevice
        self.uplink = uplink
        self.will = will
    }
}

/// What is left of an uplink leg when a session ends, or the leg itself does.
enum UplinkRemains: Sendable {
    case open
    /// The broker has ended the leg, or nothing can be done with it any more; the driver still has to close it.
    case useless
    case gone
}

extension Duration {
    /// "MQTT over QUIC", graceful end: the bridge waits at most 10 s for the server's FIN, or for the broker's answer to a
    /// will that it publishes itself.
    static let goodbye = Duration.seconds(10)
}

/// What happens to a will that the bridge keeps.
enum WillFate: Sendable {
    case discarded
    /// The will is published after its delay.
    case due
    case dueNow
}
