import MQTTCodec
import NIOCore

/// What a connected session also needs if it outlives its uplink leg.
///
/// ```
///     path silent                      lost                         leg ready: CONNECT
///   up --------> suspended ---------------------> awaitingUplink ------------------> returning
///   ^ ^             |  |   1.5 keepalives over       ^  ^                            |   |  |
///   | +--answered---+  +-----------------------------+  |        retry               |   |  |
///   |                                                   +------------- backingOff <--+   |  |
///   |                                         CONNACK 0             busy, lost, closed   |  |
///   +------------------------------------------------------------------------------------+  |
///                                         refused: the session ends <-----------------------+
/// ```
/// A data stream has neither CONNECT nor a broker that counts its silence: it is `up` when the leg is ready.
struct Hold: Sendable {
    enum Phase: Sendable {
        case up
        /// The leg is there, but its path is silent, so nothing is sent on it.
        case suspended
        /// The session has asked for a leg.
        case awaitingUplink
        /// There is no leg, and the session has not asked for one yet.
        case backingOff
        /// CONNECT has gone out on the new leg.
        case returning
    }

    /// A CONNECT that was given up before the broker answered. The broker may still read it, and then takes the session
    /// away from the leg that has it [MQTT-3.1.4-3].
    enum StrayConnect: Sendable {
        case none
        /// The broker may still read one.
        case underWay
        /// One may have been read. Until the device has been back for a while, no other end of a leg is explained by one.
        case spent
    }

    var journal: Journal
    var phase = Phase.up
    /// CONNECT as it will be repeated; empty on a data stream.
    var connect: [UInt8] = []
    /// The keepalive that the device was told or asked for, in seconds; 0 means none. That of the broker is the same, or a
    /// little longer.
    var keepAlive: UInt16 = 0
    /// Whether the device was told that the broker knew its session: it may have subscriptions that the bridge does not
    /// know.
    var hasEarlierSession = false
    /// How many PINGREQ packets of the device the broker has not answered.
    private var openPings: UInt16 = 0
    /// How many PINGRESP packets of the broker the device does not wait for.
    private var latePongs: UInt16 = 0
    /// Whether the bridge has answered a PINGREQ that the broker has not heard.
    private var hasAnsweredPing = false
    /// Whether the leg was suspended and the broker has answered nothing since: it may not have heard the device for a
    /// while.
    var wasSuspended = false
    /// Whether the leg was suspended for so long that the broker may have given the device up.
    private var wasSuspendedForLong = false
    /// How many returns have failed since the broker last answered anything.
    private var failures: UInt8 = 0
    /// Whether the broker has answered nothing since the last return.
    private var isUnproven = false
    /// Whether a leg was lost while ``isUnproven`` was set, and the broker has answered nothing yet.
    private var wasLostUnproven = false
    private(set) var strayConnect = StrayConnect.none
    /// Whether a close without a word about the session has been taken for the network's.
    private var hasTakenUnexplainedClose = false
    /// Whether the timer ``SessionTimer/strayConnect`` is set when the device is back.
    var isOnProbation: Bool { strayConnect != .none || hasTakenUnexplainedClose }
    /// What went wrong last.
    var why = ""

    init(journal: Journal) {
        self.journal = journal
    }

    var isHeld: Bool {
        switch phase {
        case .up: false
        case .suspended, .awaitingUplink, .backingOff, .returning: true
        }
    }

    /// How long the broker waits for a packet of the device before it gives the device up; `nil` if it has no limit.
    var brokerPatience: Duration? { .patience(keepAlive: keepAlive) }

    /// Whether the broker may have ended the session only because it had not heard the device for too long. That counts
    /// from the device's last packet, which may be a whole keepalive older than the silence [MQTT-3.1.2-24].
    var mayBeForgotten: Bool { wasSuspended && wasSuspendedForLong }
}

// MARK: - Phases

extension Hold {
    /// The leg's path is silent.
    mutating func suspend() -> [SessionAction] {
        let actions = begin("the broker does not answer")
        phase = .suspended
        wasSuspended = true
        journal.pause()
        return actions + (brokerPatience.map { [.start(.brokerPatience, after: $0)] } ?? [])
    }

    /// The leg is gone.
    mutating func lose(_ why: String) -> [SessionAction] {
        let actions = begin(why) + (phase == .suspended ? [.stop(.brokerPatience)] : [])
        phase = .awaitingUplink
        journal.lose()
        latePongs = 0
        hasAnsweredPing = false
        return actions
    }

    private mutating func begin(_ why: String) -> [SessionAction] {
        self.why = why
        guard !isHeld else { return [] }
        return [.note(.held(why)), .start(.hold, after: journal.policy.configuration.time)]
    }

    /// The suspended leg answers again, `silence` after it was last heard. Returns what the leg is given.
    mutating func resume(after silence: Duration) -> Ledger.Step {
        phase = .up
        wasSuspendedForLong = keepAlive != 0 && silence >= .milliseconds(Int64(keepAlive) * 500)
        var step = journal.resume()
        guard hasAnsweredPing, let ping = try? Packet.pingreq.encode(version: journal.version) else { return step }
        // The broker counts from the last packet that it has heard.
        hasAnsweredPing = false
        latePongs = latePongs == .max ? .max : latePongs + 1
        let more = journal.reply(ping)
        step.up += more.up
        return step
    }

    /// The broker has accepted CONNECT, or needs none.
    mutating func returned() {
        phase = .up
        wasSuspended = false
        hasAnsweredPing = false
        isUnproven = true
    }

    /// The leg was lost after a return that no answer of the broker has proven yet. Returns how long to wait before the
    /// next try; `nil` if there is no need to wait. A network that fails once more may be chance. But a broker that
    /// disconnects the device again is given time, and so is one that fails each time because of what the device sends.
    mutating func pauseAfterLoss(_ why: String, isBusy: Bool) -> Duration? {
        guard isUnproven else { return nil }
        guard isBusy || wasLostUnproven else {
            wasLostUnproven = true
            return nil
        }
        return failed(why)
    }

    /// The broker was reached, and the device is not back. Returns how long to wait before the next try: 1 s at first,
    /// doubled up to 30 s as long as the broker answers nothing.
    mutating func failed(_ why: String) -> Duration {
        self.why = why
        phase = .backingOff
        defer { failures = min(failures + 1, 5) }
        return .seconds(min(1 << Int(failures), 30))
    }
}

// MARK: - A CONNECT that was given up

extension Hold {
    /// The leg on which CONNECT went out is given up, and no answer has come.
    mutating func giveUpConnect() {
        if strayConnect == .none { strayConnect = .underWay }
    }

    /// The broker ended a leg in the way in which it ends one whose session another one takes. Returns whether that may
    /// have been an earlier CONNECT of this session.
    mutating func takeStrayConnect() -> Bool {
        guard strayConnect == .underWay else { return false }
        strayConnect = .spent
        return true
    }

    /// The broker closed the connection and said nothing about the session. Returns whether that may have nothing to do
    /// with the device: a server that takes sessions over like this does it again when the device has come back.
    mutating func takeUnexplainedClose() -> Bool {
        guard !hasTakenUnexplainedClose else { return false }
        hasTakenUnexplainedClose = true
        return true
    }

    /// The device is back, and from now on the broker reads. This starts the time after which it has read everything.
    var strayConnectTimer: [SessionAction] {
        isOnProbation ? [.start(.strayConnect, after: .seconds(30))] : []
    }

    /// That time is over. It does not count if the broker was away again.
    mutating func forgetStrayConnect() {
        guard phase == .up else { return }
        strayConnect = .none
        hasTakenUnexplainedClose = false
    }
}

// MARK: - PINGREQ

extension Hold {
    /// Whether the device's PINGREQ goes to the broker. If not, it is answered here.
    mutating func passesPing() -> Bool {
        guard !isHeld else {
            hasAnsweredPing = true
            return false
        }
        openPings = openPings == .max ? .max : openPings + 1
        return true
    }

    /// Whether the broker's PINGRESP goes to the device.
    mutating func passesPong() -> Bool {
        guard latePongs == 0 else {
            latePongs -= 1
            return false
        }
        if openPings > 0 { openPings -= 1 }
        return true
    }

    /// Returns how many answers the device waits for that the broker will not give in time.
    mutating func takeOpenPings() -> Int {
        defer { openPings = 0 }
        // On a leg that is only suspended, the broker's own answers may still come.
        if phase == .suspended { latePongs = UInt16(clamping: Int(latePongs) + Int(openPings)) }
        return Int(openPings)
    }

    /// The broker has answered something that the device sent.
    mutating func heard(_ type: PacketType) {
        switch type {
        case .puback, .pubrec, .pubcomp, .suback, .unsuback, .pingresp:
            failures = 0
            isUnproven = false
            wasLostUnproven = false
            if phase == .up { wasSuspended = false }
        case .connect, .connack, .publish, .pubrel, .subscribe, .unsubscribe, .pingreq, .disconnect, .auth:
            break
        }
    }
}
