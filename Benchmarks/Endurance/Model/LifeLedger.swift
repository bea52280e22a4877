/// Keeps account of the connections of devices, each of which is a life with a will of its own.
///
/// - A device that vanishes has exactly one will, in bounded time.
/// - A device that says goodbye, or lives, has none.
/// - A connection ends only if the device ends it, or because of a trouble.
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
        /// Wills that are excused: too many, too few or too late.
        package var excused = 0
    }

    private struct Life: Sendable {
        let began: Double
        var ended: Double?
        var ending: Ending?
        var wills = 0
        /// When the will should have come; `nil` unless that has passed without one.
        var missedSince: Double?
    }

    private struct Key: Hashable, Sendable {
        let device: Int
        let life: Int
    }

    private var lives: [Key: Life] = [:]
    package private(set) var counts: [Group: Counts] = [:]
    package private(set) var faults = FaultList()
    private let group: @Sendable (Int) -> Group

    /// A will comes within this time after it is due, in seconds.
    package static let bound = 10.0
    /// How long a device waits until it is accepted, in seconds.
    package static let patience = 30.0
    /// How long an ended life is remembered: longer than the hold time, after which late wills come.
    private static let memory = 600.0

    package init(group: @escaping @Sendable (Int) -> Group) {
        self.group = group
    }

    // MARK: Events

    package mutating func began(_ device: Int, _ life: Int, at time: Double) {
        lives[Key(device: device, life: life)] = Life(began: time)
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
        switch ending {
        case .disconnect: counts[group, default: Counts()].goodbyes += 1
        case .vanished, .silent: counts[group, default: Counts()].vanished += 1
        case .takenOver: counts[group, default: Counts()].takenOver += 1
        case .refused: break
        case .closed:
            counts[group, default: Counts()].closed += 1
            if troubles.excuse(.closed, group, from: heard ?? time, to: time) == nil {
                add(.closed, key, at: time, troubles, detail)
            }
        }
    }

    /// A device has not been connected, or not been accepted, although it has waited.
    package mutating func refused(_ device: Int, _ life: Int, at time: Double, _ troubles: TroubleLog) {
        guard troubles.excuse(.refused, group(device), from: time - Self.patience, to: time) == nil else { return }
        add(.refused, Key(device: device, life: life), at: time, troubles)
    }

    package mutating func willArrived(_ device: Int, _ life: Int, at time: Double, _ troubles: TroubleLog) {
        let key = Key(device: device, life: life)
        let group = group(device)
        counts[group, default: Counts()].wills += 1
        guard var record = lives[key] else {
            // A connection that the device has not seen being accepted.
            counts[group, default: Counts()].excused += 1
            return
        }
        // One that comes while the device lives is not the one that is due at its end.
        if record.ending != nil { record.wills += 1 }
        lives[key] = record
        // A device may live for many troubles. Only those at its end, or just now, can have to do with this will.
        let begin = record.ended ?? time - Double(DeviceKind(number: device).willDelay)
        let isExcused = troubles.excuse(.will, group, from: begin, to: time) != nil
        let isDue =
            switch record.ending {
            case nil, .disconnect: false
            case .vanished, .silent, .takenOver, .refused, .closed: record.wills == 1
            }
        if isDue {
            if let since = record.missedSince, !isExcused {
                add(.willLate, key, at: time, troubles, "\(Int(time - since)) s later than allowed")
            }
            return
        }
        if isExcused {
            counts[group, default: Counts()].excused += 1
        } else {
            let state = record.ending.map { "will \(record.wills) after its end (\($0))" } ?? "while it is connected"
            add(.willWrong, key, at: time, troubles, state)
        }
    }

    /// Looks for wills that are overdue, and forgets what is settled.
    package mutating func check(at time: Double, _ troubles: TroubleLog) {
        for (key, record) in lives {
            guard let ended = record.ended else { continue }
            if let due = Self.due(record.ending, group(key.device)), record.wills == 0, record.missedSince == nil {
                let latest = ended + due + Double(DeviceKind(number: key.device).willDelay) + Self.bound
                guard time > latest else { continue }
                lives[key]?.missedSince = latest
                if troubles.excuse(.will, group(key.device), from: ended, to: time) != nil {
                    counts[group(key.device), default: Counts()].excused += 1
                } else {
                    add(.willMissing, key, at: ended, troubles)
                }
            } else if time > ended + Self.memory {
                lives[key] = nil
            }
        }
    }

    /// How long after the end of a device its will is due without a Will Delay, in seconds: a silent device is missed
    /// after 1.5 times its keepalive (MQTT 5 3.1.2.10), and so is one without the bridge whose reset is lost on the link.
    /// `nil` if it need not have one.
    private static func due(_ ending: Ending?, _ group: Group) -> Double? {
        let patience = Double(DeviceKind.keepAlive) * 1.5
        return switch ending {
        case .vanished: group == .direct ? patience : 0
        case .silent: patience
        case .disconnect, .takenOver, .refused, .closed, nil: nil
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
