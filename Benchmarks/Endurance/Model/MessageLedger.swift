/// Keeps account of all messages, and finds the faults.
///
/// - A message whose acknowledgement has reached the sender must arrive: always with QoS 1 and 2, and with QoS 0 unless
///   a trouble is near.
/// - With QoS 2 it arrives once; with QoS 1 once unless the sender has sent it again or a trouble is near.
/// - First arrivals are in the order in which messages were sent.
package struct MessageLedger: Sendable {
    package struct Counts: Sendable, Codable, Equatable {
        package var sent = 0
        package var acknowledged = 0
        package var arrived = 0
        /// Second arrivals that are excused.
        package var repeated = 0
        /// Lost messages that are excused.
        package var excused = 0
        package var lost = 0
        package var doubled = 0
        package var outOfOrder = 0
    }

    /// How a message has come.
    package struct Delivery: Sendable, CustomStringConvertible {
        /// Whether it came with DUP, by which the broker says that it may be a repetition.
        package let isMarked: Bool
        /// 0 with QoS 0.
        package let packetID: UInt16
        /// The number of the receiver's connection.
        package let connection: Int

        package init(isMarked: Bool, packetID: UInt16, connection: Int) {
            self.isMarked = isMarked
            self.packetID = packetID
            self.connection = connection
        }

        package var description: String {
            "packet \(packetID) of connection \(connection)\(isMarked ? " with DUP" : "")"
        }
    }

    package struct CountKey: Hashable, Sendable {
        package let group: Group
        package let purpose: StreamID.Purpose
    }

    private var streams: [StreamID: MessageStream] = [:]
    package private(set) var counts: [CountKey: Counts] = [:]
    package private(set) var excused = ExcuseCounts()
    package private(set) var faults = FaultList()
    /// Since when devices have been connected and have read what comes.
    private var availableSince: [Int: Double] = [:]
    /// Which group a device is of.
    private let group: @Sendable (Int) -> Group

    package init(group: @escaping @Sendable (Int) -> Group) {
        self.group = group
    }

    /// How long a settled message is remembered, in seconds.
    private static let memory = 150.0
    /// How long a message may wait in calm for its acknowledgement or its arrival, in seconds.
    package static let patience = 60.0

    // MARK: Events

    package mutating func sent(_ id: StreamID, _ sequence: Int, at time: Double) {
        streams[id, default: MessageStream()].sent(sequence, at: time)
        count(id) { $0.sent += 1 }
    }

    package mutating func resent(_ id: StreamID, _ sequence: Int, at time: Double) {
        streams[id]?.resent(sequence, at: time)
    }

    /// Whether a device is connected and reads what comes. Unless it does, none of its messages can stall.
    package mutating func setAvailable(_ device: Int, _ isAvailable: Bool, at time: Double) {
        availableSince[device] = isAvailable ? time : nil
    }

    package mutating func abandoned(_ id: StreamID, _ sequence: Int) {
        streams[id]?.abandoned(sequence)
    }

    package mutating func acknowledged(_ id: StreamID, _ sequence: Int, at time: Double) {
        streams[id]?.acknowledged(sequence, at: time)
        count(id) { $0.acknowledged += 1 }
    }

    /// The connection of a sender has ended, with which messages of QoS 0 may have been lost that were under way.
    ///
    /// - Parameter heard: when the sender last heard from the other side.
    package mutating func connectionLost(ofDevice device: Int, heard: Double) {
        let id = StreamID(device: device, purpose: .up0)
        for (sequence, message) in streams[id]?.open ?? [:] where message.arrived == nil && message.sent > heard - 10 {
            streams[id]?.abandoned(sequence)
        }
    }

    package mutating func arrived(
        _ id: StreamID, _ sequence: Int, _ delivery: Delivery, at time: Double, _ troubles: TroubleLog
    ) {
        switch streams[id, default: MessageStream()].arrived(sequence, delivery, at: time) {
        case .first:
            count(id) { $0.arrived += 1 }
        case .late:
            count(id) {
                $0.arrived += 1
                $0.outOfOrder += 1
            }
            add(.outOfOrder, id, sequence, at: time, troubles)
        case .repeated(let message):
            let first = message.delivery.map { ", first as \($0)" } ?? ""
            repeated(
                id, sequence, from: message.sent, Self.cause(of: delivery, message), at: time, troubles,
                "sent at \(Int(message.sent)) s\(message.resends > 0 ? " and again" : "")\(first), now as \(delivery)")
        case .repeatedLongAgo:
            // What was settled long ago can only be repeated because of something that is going on now.
            repeated(id, sequence, from: time, nil, at: time, troubles, "settled long ago, now as \(delivery)")
        case .unknown:
            add(.unknown, id, sequence, at: time, troubles)
        }
    }

    /// Why a message with QoS 1 may come again without a trouble: its sender has sent it again, or the receiver has
    /// connected again before it acknowledged the message, as the broker says by DUP.
    private static func cause(of delivery: Delivery, _ message: MessageStream.Message) -> String? {
        if message.repeats < message.resends { return "sent again" }
        return delivery.isMarked && delivery.connection != message.delivery?.connection
            ? "receiver connected again" : nil
    }

    /// - Parameter cause: what allows a repetition with QoS 1 without a trouble.
    private mutating func repeated(
        _ id: StreamID, _ sequence: Int, from: Double, _ cause: String?, at time: Double, _ troubles: TroubleLog,
        _ detail: String
    ) {
        let trouble = Self.excuse(id).flatMap { troubles.excuse($0, group(id.device), from: from, to: time) }
        if let reason = (id.purpose.qos == 1 ? cause : nil) ?? trouble?.kind.rawValue {
            count(id) { $0.repeated += 1 }
            excused.add(group(id.device), "\(id.purpose.name) repeated", reason)
        } else {
            count(id) { $0.doubled += 1 }
            add(.doubled, id, sequence, at: time, troubles, detail)
        }
    }

    /// What may excuse a repetition.
    private static func excuse(_ id: StreamID) -> Excuse? {
        let kind = DeviceKind(number: id.device)
        if id.purpose.qos == 1 { return .doubledQoS1 }
        guard id.purpose == .up2, !kind.isPersistent else { return nil }
        return kind.isForgotten ? .doubledForgotten : .doubledUnsaved
    }

    /// Looks for streams in which nothing happens, and forgets what is settled.
    package mutating func check(at time: Double, _ troubles: TroubleLog) {
        for (id, stream) in streams {
            streams[id]?.forget(before: time - Self.memory, qos: id.purpose.qos)
            guard id.purpose.qos > 0, let available = availableSince[id.device] else { continue }
            let stalled = stream.open.filter { _, message in
                let begin = max(message.lastSent, available)
                return message.isWaiting && time - begin > Self.patience
                    && troubles.calm(group(id.device), from: begin, to: time) > Self.patience
            }
            streams[id]?.isStalled = !stalled.isEmpty
            // One that has been told is not told again with each of its messages.
            guard !stream.isStalled, let (sequence, message) = stalled.min(by: { $0.key < $1.key }) else { continue }
            let state = message.acknowledged == nil ? "not acknowledged" : "acknowledged, not arrived"
            add(
                .stalled, id, sequence, at: time, troubles,
                "sent at \(Int(message.lastSent)) s, \(state), with \(stalled.count) like it")
        }
    }

    /// How many messages are in memory.
    package var remembered: Int { streams.reduce(0) { $0 + $1.value.open.count } }

    // MARK: The end

    /// How many messages with QoS 1 and 2 have yet to be acknowledged or to arrive.
    package var unsettled: Int {
        streams.reduce(0) { sum, stream in
            guard stream.key.purpose.qos > 0 else { return sum }
            return sum + stream.value.open.values.count { $0.isWaiting }
        }
    }

    /// Which numbers the last value of a stream may have: that of the last message that was acknowledged, or of one
    /// that was sent afterwards and given up. `nil` if none was acknowledged.
    package func lastValues(_ id: StreamID) -> ClosedRange<Int>? {
        guard let stream = streams[id], let last = stream.lastAcknowledged else { return nil }
        return last...max(last, stream.nextSequence - 1)
    }

    /// Finds what is lost. To be called when nothing is under way any more.
    package mutating func close(at time: Double, _ troubles: TroubleLog) {
        for (id, stream) in streams {
            for (sequence, message) in stream.open.sorted(by: { $0.key < $1.key }) {
                settle(id, sequence, message, troubles)
            }
        }
    }

    private mutating func settle(
        _ id: StreamID, _ sequence: Int, _ message: MessageStream.Message, _ troubles: TroubleLog
    ) {
        let isLost = message.arrived == nil
        if id.purpose.qos == 0 {
            guard isLost else { return }
            let near = troubles.excuse(.lostQoS0, group(id.device), from: message.sent, to: message.sent)
            let reason = near?.kind.rawValue ?? (message.isAbandoned ? "the connection ended" : nil)
            if let reason { return excuseLoss(id, reason) }
        } else if message.acknowledged == nil {
            guard !message.isAbandoned else {
                if isLost { excuseLoss(id, "given up with the session") }
                return
            }
            return add(.unacknowledged, id, sequence, at: message.sent, troubles)
        }
        guard isLost else { return }
        count(id) { $0.lost += 1 }
        let detail = message.acknowledged.map { "acknowledged at \(Int($0)) s" } ?? ""
        add(.lost, id, sequence, at: message.sent, troubles, detail)
    }

    // MARK: Helpers

    private mutating func excuseLoss(_ id: StreamID, _ reason: String) {
        count(id) { $0.excused += 1 }
        excused.add(group(id.device), "\(id.purpose.name) lost", reason)
    }

    private mutating func count(_ id: StreamID, _ change: (inout Counts) -> Void) {
        change(&counts[CountKey(group: group(id.device), purpose: id.purpose), default: Counts()])
    }

    private mutating func add(
        _ kind: Fault.Kind, _ id: StreamID, _ sequence: Int, at time: Double, _ troubles: TroubleLog,
        _ detail: String = ""
    ) {
        let group = group(id.device)
        faults.add(
            Fault(
                kind: kind, group: group, device: id.device,
                subject: "\(id.purpose.name) of \(DeviceKind(number: id.device).name)", sequence: sequence, time: time,
                troubles: troubles.names(at: time, group), detail: detail))
    }
}
