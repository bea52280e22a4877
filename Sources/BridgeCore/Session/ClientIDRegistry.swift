import NIOCore

/// Knows which session has which client id, and which sessions that had it before are still ending.
///
/// At a broker's TCP port the connections of one device are in order: what it sends last on one connection is read
/// before what it sends first on the next. Here each session has a QUIC connection or stream of its own, and a CONNECT
/// can overtake the DISCONNECT before it. So a newcomer waits for the sessions that had the client id before, until
/// they are over or it is known that their device is still there. In sessions of the gateway the broker does not even
/// know the client ids, and all of [MQTT-3.1.4-3] is up to the bridge.
///
/// The broker has at most one session per client id: that of the device that it has let in last. If such a session is
/// over here and may still be at the broker although its device had not asked for that, the client id is remembered until
/// the broker lets another session in.
///
/// `Token` stands for a session. A session has one client id from its claim to its release, even while its device is
/// gone. Client ids are compared byte by byte. There is one token per session, so the bound is that of the devices,
/// plus `maximumLingering` for sessions whose device is gone, and that of ``RecentClientIDs``.
package struct ClientIDRegistry<Token: Hashable & Sendable>: Sendable {
    /// How far a session is with its client id.
    package enum Phase: Sendable, Equatable {
        /// The broker has not let the session in yet.
        case connecting
        /// The device is connected.
        case living
        /// The uplink leg is away, and the session is kept meanwhile: see ``Hold``.
        case held
        /// The device has left, and the broker has been told or is being told.
        case leaving
        /// The device has left, and the broker has not answered: the session's CONNECT may still be on its way.
        case unanswered
        /// In a session of the gateway, the device is gone, and its will waits for its time.
        case lingering
    }

    /// The session that had the client id until now.
    package struct Predecessor: Sendable, Equatable {
        /// Stands for the session.
        package var token: Token
        /// How far the session was when the newcomer came.
        package var phase: Phase
    }

    private struct Holder {
        let token: Token
        var phase: Phase
        /// Whether the broker keeps the session for longer than its device asked for.
        let isBorrowed: Bool
        /// Whether the broker has let the session in, or may have, and no other one since.
        var isAtBroker = false
        /// Whether a newcomer's CONNECT must not come before the session's last packet.
        var isAwaited = true
    }

    private struct Entry {
        var holder: Holder?
        /// Earlier holders.
        var earlier: [Holder] = []

        var isAwaited: Bool { earlier.contains(where: \.isAwaited) }

        /// Finds the session among all of these.
        func holder(_ token: Token) -> Holder? {
            holder?.token == token ? holder : earlier.first { $0.token == token }
        }

        /// Notes that the broker has the session of `token`, and so no other one.
        mutating func isAtBroker(_ token: Token) {
            if let holder { self.holder?.isAtBroker = holder.token == token }
            for index in earlier.indices { earlier[index].isAtBroker = earlier[index].token == token }
        }
    }

    /// How many sessions may wait for the time of their will at once.
    package let maximumLingering: Int
    /// How many sessions wait for the time of their will now.
    package private(set) var lingeringCount = 0
    private var entries: [ExactText: Entry] = [:]
    private var recent = RecentClientIDs()

    package init(maximumLingering: Int = 10_000) {
        self.maximumLingering = maximumLingering
    }

    /// How many client ids are in use.
    package var count: Int { entries.count }

    /// Gives the client id to `token`.
    ///
    /// - Parameter isBorrowed: Whether the broker keeps its session for longer than its device asked for.
    /// - Returns: the session that had it, for whose ``release(_:_:)`` or ``pass(_:_:)`` the newcomer waits. If it is
    ///   held, it should be told to leave, and also if it is connecting and the newcomer's device has not left by then;
    ///   if it is living, it should be asked whether its device is still there.
    package mutating func claim(_ clientID: String, by token: Token, isBorrowed: Bool = false) -> Predecessor? {
        let key = ExactText(text: clientID)
        let old = entries[key]?.holder
        guard old?.token != token else { return nil }
        entries[key, default: Entry()].holder = Holder(token: token, phase: .connecting, isBorrowed: isBorrowed)
        guard let old else { return nil }
        if old.phase == .lingering { lingeringCount -= 1 }
        entries[key]?.earlier.append(old)
        return Predecessor(token: old.token, phase: old.phase)
    }

    /// How long a newcomer has to wait for the earlier sessions that are left.
    package func wait(_ clientID: String) -> ClientIDWait {
        guard let entry = entries[ExactText(text: clientID)], entry.isAwaited else { return .none }
        let isLong = entry.earlier.contains { $0.isAwaited && [.connecting, .held, .unanswered].contains($0.phase) }
        return isLong ? .untilOver : .brief
    }

    /// How far the session is with its client id; `nil` if it is over.
    package func phase(of clientID: String, _ token: Token) -> Phase? {
        entries[ExactText(text: clientID)]?.holder(token)?.phase
    }

    /// Notes a session's new phase. If no other session has its client id any more, the session gets it back.
    ///
    /// - Returns: whether the session has the client id, and no other has.
    package mutating func set(_ phase: Phase, of clientID: String, _ token: Token) -> Bool {
        let key = ExactText(text: clientID)
        var entry = entries.removeValue(forKey: key) ?? Entry()
        defer { entries[key] = entry }
        let index = entry.earlier.firstIndex { $0.token == token }
        if entry.holder == nil {
            let old = index.map { entry.earlier.remove(at: $0) }
            entry.holder = old ?? Holder(token: token, phase: phase, isBorrowed: false)
            entry.holder?.isAwaited = true
            entry.holder?.phase = phase
        } else if entry.holder?.token == token {
            entry.holder?.phase = phase
        } else if let index {
            entry.earlier[index].phase = phase
        }
        switch phase {
        case .living:
            entry.isAtBroker(token)
            recent.remove(clientID)
        case .unanswered:
            // A session that a newcomer has followed sends no CONNECT any more.
            if entry.holder?.token == token { entry.holder?.isAtBroker = true }
        case .connecting, .held, .leaving, .lingering:
            break
        }
        return entry.holder?.token == token
    }

    /// The device of `token` is gone, and its will waits.
    ///
    /// - Returns: whether the will may wait. If not, because too many wait already or another session has the client id
    ///   by now, the will is due.
    package mutating func linger(_ clientID: String, _ token: Token) -> Bool {
        let key = ExactText(text: clientID)
        guard let holder = entries[key]?.holder, holder.token == token else { return false }
        if holder.phase == .lingering { return true }
        guard lingeringCount < maximumLingering else { return false }
        entries[key]?.holder?.phase = .lingering
        lingeringCount += 1
        return true
    }

    /// The session had the client id before, and no newcomer has to wait for it: its device is there, and the broker
    /// decides between the two. Returns the same as ``release(_:_:)``.
    package mutating func pass(_ clientID: String, _ token: Token) -> Token? {
        let key = ExactText(text: clientID)
        guard let entry = entries[key], entry.holder?.token != token,
            let index = entry.earlier.firstIndex(where: { $0.token == token && $0.isAwaited })
        else { return nil }
        entries[key]?.earlier[index].isAwaited = false
        return entries[key]?.isAwaited == false ? entry.holder?.token : nil
    }

    /// The session is over. If it was the last to come, the one before it that is still connecting gets the client id back.
    ///
    /// - Returns: the session that has the client id, if it need not wait for another session from now on.
    package mutating func release(_ clientID: String, _ token: Token) -> Token? {
        let key = ExactText(text: clientID)
        guard var entry = entries[key] else { return nil }
        if let holder = entry.holder, holder.token == token {
            if holder.phase == .lingering { lingeringCount -= 1 }
            entry.holder = nil
        }
        var isChanged = entry.earlier.contains { $0.token == token && $0.isAwaited }
        entry.earlier.removeAll { $0.token == token }
        if entry.holder == nil, let index = entry.earlier.lastIndex(where: { $0.phase == .connecting }) {
            entry.holder = entry.earlier.remove(at: index)
            isChanged = true
        }
        entries[key] = entry.holder == nil && entry.earlier.isEmpty ? nil : entry
        return isChanged && !entry.isAwaited ? entry.holder?.token : nil
    }
}

// MARK: - Sessions that devices must not find

extension ClientIDRegistry {
    /// Whether a newcomer could find a session at the broker that its device had not asked for. It is asked about the
    /// earlier holders of the client id, and about sessions that are over.
    package func hasLeftover(_ clientID: String, at now: NIODeadline) -> Bool {
        let earlier = entries[ExactText(text: clientID)]?.earlier ?? []
        return earlier.contains { $0.isBorrowed && $0.isAtBroker } || recent.contains(clientID, at: now)
    }

    /// The session, which is over here but not released yet, may be at the broker for that time, although its device had
    /// not asked for that. This means nothing if the broker has let another session in since.
    package mutating func leave(_ clientID: String, _ token: Token, for time: TimeAmount, at now: NIODeadline) {
        guard entries[ExactText(text: clientID)]?.holder(token)?.isAtBroker == true else { return }
        recent.insert(clientID, for: time, at: now)
    }
}

/// How long a newcomer has to wait for the sessions that had the client id before.
package enum ClientIDWait: Sendable, Equatable {
    case none
    /// Until they are over, but only for a moment: the broker knows them, and decides between two sessions.
    case brief
    /// Until they are over: a CONNECT of theirs that comes late would take the newcomer's session over.
    case untilOver
}
