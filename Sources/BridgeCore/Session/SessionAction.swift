import MQTTCodec
import NIOCore

/// What the driver is to do, in this order.
package enum SessionAction: Sendable {
    /// The device has said who it is. Comes once, before anything goes to the uplink.
    case identified(SessionIdentity)
    /// Start an uplink leg; answer with `uplinkReady()`, `uplinkUnreachable(_:)` or `uplinkLost(_:)`. May come again once
    /// the last one is closed, lost or could not be made: the device is held meanwhile.
    case openUplink(keepAlive: Duration?)
    case sendToUplink(ByteBuffer)
    /// FIN, behind everything sent before. The uplink leg stays until the broker's own FIN.
    case finishUplink
    /// Close the uplink leg now; what is still queued is lost.
    case closeUplink
    case sendToDevice(ByteBuffer)
    /// Close the device leg, behind everything sent before.
    case closeDevice
    case start(SessionTimer, after: Duration)
    case stop(SessionTimer)
    /// The broker accepted the device. From now on a device that sends nothing for `silence` is gone
    /// ([MQTT-3.1.2-24]); `timedOut(.keepAlive)` says so. `nil`: its keepalive is off.
    case connected(idleLimit: Duration?)
    /// Why the session is over. Comes once, before the legs are closed.
    case ended(SessionEnd)

    /// The client id, as the broker knows it, is this session's from now on, and until it is over. A held session that had
    /// it is told `takenOver(byContinuation:)`; a living one is for the broker to take over. Answer with
    /// `clientIDTaken(_:)`. Stands last in its list, so that the answer may come while the action is performed.
    case takeClientID(String)

    // What follows is asked for by the mapping `data-stream` only.

    /// Check a user's password; answer with `authenticated(_:)`. Stands last in its list, so that the answer may come
    /// while the action is performed.
    case authenticate(username: String, password: ByteBuffer?)
    /// The client id is this session's from now on, and until it is over: whoever had it is told
    /// `takenOver(byContinuation: !isCleanStart)`.
    case claim(clientID: String, isCleanStart: Bool)
    /// Start a data stream in a gateway session of that version, with a decoder of its own; answer as to
    /// `openUplink`. Stands last in its list. May come a second time, when the first leg is closed or lost and the
    /// device is gone: for its will.
    case openDataStream(MQTTVersion)
    /// The device is gone, and its will is due after that time: `timedOut(.willDelay)`, at once where too many wait so.
    /// Stands last in its list.
    case linger(atMost: Duration)
    /// For the log; the session goes on as it did.
    case note(SessionNote)
}

/// What an operator should know of a session that goes on.
package enum SessionNote: Sendable, Equatable {
    /// The device asked for a session that outlives its connection, and was told that there is none.
    case sessionNotKept
    /// The device's will could not be published, or nobody knows whether it was.
    case willLost(String)
    /// The broker took the device's will and refused it.
    case willRefused(code: UInt8)
    /// The uplink is gone or silent; the device is not to notice.
    case held(String)
    /// The device has its uplink again.
    case resumed(SessionReturn)
    /// The broker refuses subscriptions that it had granted the device: so many filters.
    case subscriptionsLost(Int)
}

/// How a held device came back.
package enum SessionReturn: Sendable, Equatable {
    /// The leg answered again: nothing had to be done.
    case sameLeg
    /// A new leg, on which the broker still knew the session, or did not. `resent` packets went again.
    case newLeg(isSessionPresent: Bool, resent: Int)
}

extension SessionNote {
    /// Whether somebody should look at it.
    package var needsAttention: Bool {
        switch self {
        case .sessionNotKept, .willLost, .willRefused, .subscriptionsLost: true
        // With many devices on one uplink these are many lines: the uplink itself logs one warning.
        case .held, .resumed: false
        }
    }
}

/// The times a session waits for something.
package enum SessionTimer: Sendable, Hashable, CaseIterable {
    /// For the device's CONNECT.
    case connectPacket
    /// From CONNECT to the broker's CONNACK.
    case uplinkConnect
    /// For the end of an earlier session with the same client id, whose DISCONNECT is not to be overtaken.
    case predecessor
    /// For the broker's FIN after ours.
    case goodbye
    /// For the broker's answers to a device that has said its last: see ``LastWords``.
    case lastWords
    /// For any packet of the device.
    case keepAlive
    /// From the device's end to its will; the driver's own, for `linger`.
    case willDelay
    /// For the return of the uplink, `uplink.hold_time`.
    case hold
    /// From the uplink's silence to when the broker has given the device up: 1.5 times its keepalive ([MQTT-3.1.2-24]).
    case brokerPatience
    /// Before a leg is asked for again, where the broker was there and did not take the device back.
    case retry
}

/// Who a device is: what logs and limits know of it.
package struct SessionIdentity: Sendable, Equatable {
    /// As the broker sees it; empty where the broker assigns one.
    package var clientID: String
    package var username: String?
    package var version: MQTTVersion
    /// Why its CONNECT could not be read; nothing else is known of it then, and its packets are not read either.
    package var unread: MQTTError?

    package init(clientID: String, username: String?, version: MQTTVersion, unread: MQTTError? = nil) {
        self.clientID = clientID
        self.username = username
        self.version = version
        self.unread = unread
    }
}
