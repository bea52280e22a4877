import MQTTCodec
import NIOCore

/// What the driver has to do, in the order of the list.
package enum SessionAction: Sendable {
    /// The device has said who it is. Comes once, before anything goes to the uplink.
    case identified(SessionIdentity)
    /// Start an uplink leg, and answer with `uplinkReady()`, `uplinkUnreachable(_:)` or `uplinkLost(_:)`. Comes again
    /// for a held device, when the previous leg is closed or lost or could not be made.
    case openUplink(keepAlive: Duration?)
    case sendToUplink(ByteBuffer)
    /// Send FIN behind everything sent before. The uplink leg stays until the broker's own FIN.
    case finishUplink
    /// Close the uplink leg now; what is still queued is lost.
    case closeUplink
    case sendToDevice(ByteBuffer)
    /// Close the device leg behind everything sent before.
    case closeDevice
    case start(SessionTimer, after: Duration)
    case stop(SessionTimer)
    /// The broker accepted the device. From now on a device that sends nothing for `idleLimit` is gone
    /// ([MQTT-3.1.2-24]), and `timedOut(.keepAlive)` has to say so. `nil` if its keepalive is off.
    case connected(idleLimit: Duration?)
    /// Why the session is over. Comes once, before the legs are closed.
    case ended(SessionEnd)

    /// The client id, as the broker knows it, is this session's from now on until the session is over. A held session
    /// that had it is told `takenOver(byContinuation:)`; the broker takes a living one over. Answer with
    /// `clientIDTaken(_:)`. Stands last in its list, so that the answer may come while the action is performed.
    case takeClientID(String)

    // Only the mapping `data-stream` asks for what follows.

    /// Check a user's password, and answer with `authenticated(_:)`. Stands last in its list, so that the answer may
    /// come while the action is performed.
    case authenticate(username: String, password: ByteBuffer?)
    /// The client id is this session's from now on until the session is over. Another session that had it is told
    /// `takenOver(byContinuation: !isCleanStart)`.
    case claim(clientID: String, isCleanStart: Bool)
    /// Start a data stream in a gateway session of that version, with a decoder of its own, and answer as to
    /// `openUplink`. Stands last in its list. Comes a second time for the will, if the device is gone and the first leg
    /// is closed or lost.
    case openDataStream(MQTTVersion)
    /// The device is gone, and its will is due after that time: `timedOut(.willDelay)` has to say so, at once if too
    /// many wills wait already. Stands last in its list.
    case linger(atMost: Duration)
    /// Something to log. The session continues.
    case note(SessionNote)
}

/// What an operator should know about a session that continues.
package enum SessionNote: Sendable, Equatable {
    /// The device asked for a session that outlives its connection, and was told that there is none.
    case sessionNotKept
    /// The device's will could not be published, or it is unknown whether it was.
    case willLost(String)
    /// The broker received the device's will and refused it.
    case willRefused(code: UInt8)
    /// The uplink leg is gone or its path is silent. The device does not notice.
    case held(String)
    /// The uplink of a held device is back.
    case resumed(SessionReturn)
    /// The broker refuses that many filters that it had granted the device before.
    case subscriptionsLost(Int)
    /// That many messages of the device were dropped, because their Message Expiry Interval ended while they waited.
    case messagesExpired(Int)
    /// That many messages of the device at QoS 0 were dropped while it was held, to make room for later ones.
    case messagesDisplaced(Int)
    /// The platform refuses or ignores messages on a topic of the device. Comes once per session and finding.
    case platform(PlatformNotice)
}

/// How a held device came back.
package enum SessionReturn: Sendable, Equatable {
    /// The leg answered again, so nothing had to be done.
    case sameLeg
    /// A new leg, on which the broker had kept the session or not. `resent` packets were sent again.
    case newLeg(isSessionPresent: Bool, resent: Int)
}

extension SessionNote {
    /// Whether an operator should look at it.
    package var needsAttention: Bool {
        switch self {
        case .sessionNotKept, .willLost, .willRefused, .subscriptionsLost, .platform: true
        // With many devices on one uplink these are many lines: the uplink itself logs one warning.
        case .held, .resumed: false
        // The device asked for that, or the operator.
        case .messagesExpired, .messagesDisplaced: false
        }
    }
}

/// What a session waits for, with a limit on the time.
package enum SessionTimer: Sendable, Hashable, CaseIterable {
    /// The device's CONNECT.
    case connectPacket
    /// The broker's CONNACK, from the device's CONNECT on.
    case uplinkConnect
    /// The end of an earlier session with the same client id, whose DISCONNECT must not be overtaken.
    case predecessor
    /// The broker's FIN after ours.
    case goodbye
    /// The broker's last answers to a device that sends no more: see ``LastWords``.
    case lastWords
    /// Any packet of the device.
    case keepAlive
    /// The time of the will, from the device's end on. The driver starts this timer itself, for `linger`.
    case willDelay
    /// The return of the uplink, for `uplink.hold_time`.
    case hold
    /// The time when the broker gives up a device whose path is silent: 1.5 times its keepalive ([MQTT-3.1.2-24]).
    case brokerPatience
    /// The next try, after the broker was reached and did not take the device back.
    case retry
    /// A CONNECT that was given up, and that the broker may read behind the one that it has answered.
    case strayConnect
}

/// The identity of a device, as far as logs and limits need it.
package struct SessionIdentity: Sendable, Equatable {
    /// The client id that the broker sees; empty if the broker has to assign one.
    package var clientID: String
    /// The user name that the broker sees; `nil` if there is none.
    package var username: String?
    /// The version that the device speaks.
    package var version: MQTTVersion
    /// What the device itself sent, if the broker sees something else.
    package var own: OwnIdentity?
    /// Whether the device sent a password, or asks for enhanced authentication.
    var bringsCredentials = false
    /// The reason why the device's CONNECT could not be read. Then nothing else is known about the device, and its
    /// packets are not read either.
    package var unread: MQTTError?

    /// The client id that the device sent.
    package var ownClientID: String { own?.clientID ?? clientID }

    package init(
        clientID: String, username: String?, version: MQTTVersion, own: OwnIdentity? = nil, unread: MQTTError? = nil
    ) {
        self.clientID = clientID
        self.username = username
        self.version = version
        self.own = own
        self.unread = unread
    }
}

/// The identity that a device itself sent. Few devices have another one at the broker, so only these take the room.
package final class OwnIdentity: Sendable, Equatable {
    let clientID: String
    let username: String?

    package init(clientID: String, username: String?) {
        self.clientID = clientID
        self.username = username
    }

    package static func == (left: OwnIdentity, right: OwnIdentity) -> Bool {
        left.clientID == right.clientID && left.username == right.username
    }
}
