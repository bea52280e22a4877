/// Keeps account of the connections of devices, each of which is a life with a will of its own.
///
/// - A device that vanishes has exactly one will, in bounded time.
/// - A device that says goodbye, or lives, has none.
/// - A connection ends only if the device ends it, or because of a trouble.
/// - A device that has a will because the broker has missed it, though the bridge has held it, says again that it is online.
/// - A device that is away comes back.
package struct LifeLedger: Sendable {
    /// How a device's connection has ended.
    package enum Ending: Sendable, Equatable {
        case disconnect
        /// Reset by the device, and the device stays away.
        case vanished
        /// The device does not send anything any more, until the other side closes its connection, and stays away.
        case silent
        /// The device has connected again meanwhile.
        case takenOver
        /// The device was not accepted, so it is open whether the broker has known it.
        case refused
        /// The other side has closed it.
        case closed
    }

    package struct Counts: Sendable, Codable, Equatable {
        package var connected = 0
        package var goodbyes = 0
        package var vanished = 0
        package var takenOver = 0
        package var closed = 0
        package var wills = 0
        /// How often a device that lives was online again after a will.
        package var restored = 0
    }

    private struct Life: Sendable {
        let began: Double
        /// Whether the device has seen that the broker accepts it.
        var isAccepted = false
        var ended: Double?
        var ending: Ending?
        var wills = 0
        /// When the will should have come; `nil` unless that has passed without one.
        var missedSince: Double?
        /// When a will has come although the device lives; `nil` when it has said again that it is online.
        var deniedSince: Double?
    }

    private struct Key: Hashable, Sendable {
        let device: Int
        let life: Int
    }

    private var lives: [Key: Life] = [:]
    /// The last life of each device.
    private var lastLives: [Int: Int] = [:]
    /// Since when devices have not been connected, and whether that has been found to be a fault.
    private var absent: [Int: (since: Double, isTold: Bool)] = [:]
    package private(set) var counts: [Group: Counts] = [:]
    package private(set) var excused = ExcuseCounts()
    package private(set) var faults = FaultList()
    private let group: @Sendable (Int) -> Group

    /// A will comes within this time after it is due, in seconds.
    package static let bound = 10.0
    /// How long a device waits until it is accepted, in seconds.
    package static let patience = 30.0
    /// How long a device may be away in calm: it stays silent or waits for less than that, in seconds.
    package static let absence = 120.0
    /// How long after a will a device that lives may need in calm to be online again, in seconds.
    package static let restoring = 30.0
    /// How long an ended life is remembered: longer than the hold time, after which late wills come.
    private static let memory = 600.0

    package init(group: @escaping @Sendable (Int) -> Group) {
        self.group = group
    }

    // MARK: Events

    /// A device has sent CONNECT. The broker may accept it and have its will although the device never learns that.
    package mutating func connecting(_ device: Int, _ life: Int, at time: Double) {
        lives[Key(device: device, life: life)] = Life(began: time)
        lastLives[device] = life
        if absent[device] == nil { absent[device] = (time, false) }
    }

    package mutating func began(_ device: Int, _ life: Int, at time: Double) {
        if lives[Key(device: device, life: life)] == nil { connecting(device, life, at: time) }
        lives[Key(device: device, life: life)]?.isAccepted = true
        absent[device] = nil
        counts[group(device), default: Counts()].connected += 1
    }

    /// - Parameter heard: when the device last heard from the other side; `nil` for now.
    package mutating func ended(
        _ device: Int, _ life: Int, _ ending: Ending, heard: Double? = nil, at time: Double, _ troubles: TroubleLog,
        _ detail: String = ""
    ) {
        let key = Key(device: device, life: life)
        let group = group(device)
        var record = lives[key] ?? Life(began: time)
        guard record.ending == nil else { return }
        record.ended = time
        record.ending = ending
        lives[key] = record
        if absent[device] == nil { absent[device] = (time, false) }
        switch ending {
        case .disconnect: counts[group, default: Counts()].goodbyes += 1
        case .vanished, .silent: counts[group, default: Counts()].vanished += 1
        case .takenOver: counts[group, default: Counts()].takenOver += 1
        case .refused: break
        case .closed:
            counts[group, default: Counts()].closed += 1
            if let trouble = troubles.excuse(.closed, group, from: heard ?? time, to: time) {
                excused.add(group, "connection closed", trouble.kind.rawValue)
            } else {
                add(.closed, key, at: time, troubles, detail)
            }
        }
    }

    /// A device has not been connected, or not been accepted, although it has waited.
    package mutating func refused(_ device: Int, _ life: Int, at time: Double, _ troubles: TroubleLog) {
        if let trouble = troubles.excuse(.refused, group(device), from: time - Self.patience, to: time) {
            return excused.add(group(device), "not accepted", trouble.kind.rawValue)
        }
        add(.refused, Key(device: device, life: life), at: time, troubles)
    }

    package mutating func willArrived(_ device: Int, _ life: Int, at time: Double, _ troubles: TroubleLog) {
        let key = Key(device: device, life: life)
        let group = group(device)
        counts[group, default: Counts()].wills += 1
        guard var record = lives[key] else { return unknownWill(key, at: time, troubles) }
        // Behind a bridge, one that comes while the device lives is not the one that is due at its end. Without one the
        // broker has ended the connection, even if the device does not know yet.
        if record.ending != nil || group == .direct { record.wills += 1 }
        lives[key] = record
        // A device may live for many troubles. Only those at its end, or just now, can have to do with this will.
        let begin = record.ended ?? time - Double(DeviceKind(number: device).willDelay)
        let isDelayed = record.isAccepted && record.ending == nil && DeviceKind(number: device).isDelayed
        let trouble = troubles.excuse(isDelayed ? .delayedWill : .will, group, from: begin, to: time)
        let isDue =
            switch record.ending {
            case nil, .disconnect: false
            case .vanished, .silent, .takenOver, .refused, .closed: record.wills == 1
            }
        if isDue {
            if let since = record.missedSince, trouble == nil {
                add(.willLate, key, at: time, troubles, "\(Int(time - since)) s later than allowed")
            }
            return
        }
        if let trouble {
            // Without the bridge the device has to notice that its connection is dead before it can say anything.
            if record.ending == nil, group != .direct { lives[key]?.deniedSince = time }
            let what = record.ending == nil ? "will of a device that lives" : "will not due"
            excused.add(group, what, trouble.kind.rawValue)
        } else {
            let state = record.ending.map { "will \(record.wills) after its end (\($0))" } ?? "while it is connected"
            add(.willWrong, key, at: time, troubles, state)
        }
    }

    /// The will of a connection that was never made, or has ended so long ago that it is settled and forgotten.
    private mutating func unknownWill(_ key: Key, at time: Double, _ troubles: TroubleLog) {
        guard key.life <= lastLives[key.device, default: 0] else {
            return add(.unknown, key, at: time, troubles, "will")
        }
        if let trouble = troubles.excuse(.will, group(key.device), from: time, to: time) {
            excused.add(group(key.device), "will of a forgotten connection", trouble.kind.rawValue)
        } else {
            add(.willWrong, key, at: time, troubles, "its connection has ended long ago")
        }
    }

    /// The broker tells what a device says in the topic of its will when it is online.
    package mutating func stateArrived(_ device: Int, _ life: Int) {
        let key = Key(device: device, life: life)
        guard lives[key]?.deniedSince != nil else { return }
        lives[key]?.deniedSince = nil
        counts[group(device), default: Counts()].restored += 1
    }

    /// Looks for wills and devices that are overdue, and forgets what is settled.
    package mutating func check(at time: Double, _ troubles: TroubleLog) {
        for (key, record) in lives {
            guard let ended = record.ended else {
                checkState(key, record, at: time, troubles)
                continue
            }
            let kind = DeviceKind(number: key.device)
            if let due = Self.due(record.ending, group(key.device), kind), record.wills == 0, record.missedSince == nil
            {
                let latest = ended + due + Double(kind.willDelay) + Self.bound
                guard time > latest else { continue }
                lives[key]?.missedSince = latest
                if let trouble = troubles.excuse(.will, group(key.device), from: ended, to: time) {
                    excused.add(group(key.device), "will missing or late", trouble.kind.rawValue)
                } else {
                    add(.willMissing, key, at: ended, troubles)
                }
            } else if time > ended + Self.memory {
                settle(key, record)
            }
        }
        for (device, absence) in absent where !absence.isTold && time - absence.since > Self.absence {
            guard troubles.calm(group(device), from: absence.since, to: time) > Self.absence else { continue }
            absent[device]?.isTold = true
            let key = Key(device: device, life: lastLives[device, default: 0])
            add(.missing, key, at: time, troubles, "away since \(Int(absence.since)) s")
        }
    }

    /// Counts the lives of which it is not known whether they have had their will. To be called at the end.
    package mutating func close(at time: Double, _ troubles: TroubleLog) {
        check(at: time, troubles)
        for (key, record) in lives where record.ended != nil { settle(key, record) }
    }

    private mutating func settle(_ key: Key, _ record: Life) {
        lives[key] = nil
        guard record.wills == 0, let ending = record.ending, ending != .disconnect else { return }
        excused.add(group(key.device), "no will", record.missedSince == nil ? "\(ending)" : "missing or late before")
    }

    private mutating func checkState(_ key: Key, _ record: Life, at time: Double, _ troubles: TroubleLog) {
        guard let since = record.deniedSince, time - since > Self.restoring,
            troubles.calm(group(key.device), from: since, to: time) > Self.restoring
        else { return }
        lives[key]?.deniedSince = nil
        add(.stateWrong, key, at: time, troubles, "its will came at \(Int(since)) s, and it has not been online again")
    }

    /// How long after the end of a device its will is due without a Will Delay, in seconds: a silent device is missed
    /// after 1.5 times its keepalive (MQTT 5 3.1.2.10), and so is one without the bridge whose reset is lost on the link.
    /// `nil` if it need not have one. Mosquitto publishes none for a device that continues its session in a new
    /// connection, nor one that the bridge delays.
    private static func due(_ ending: Ending?, _ group: Group, _ kind: DeviceKind) -> Double? {
        let patience = Double(DeviceKind.keepAlive) * 1.5
        return switch ending {
        case .vanished: group == .direct ? patience : 0
        case .silent: patience
        case .takenOver: kind.isForgotten ? patience : nil
        case .disconnect, .refused, .closed, nil: nil
        }
    }

    private mutating func add(
        _ kind: Fault.Kind, _ key: Key, at time: Double, _ troubles: TroubleLog, _ detail: String = ""
    ) {
        let group = group(key.device)
        faults.add(
            Fault(
                kind: kind, group: group, device: key.device, subject: DeviceKind(number: key.device).name,
                sequence: key.life, time: time, troubles: troubles.names(at: time, group), detail: detail))
    }
}
