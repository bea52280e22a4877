/// Knows which session has which client id, and which sessions that had it before are still ending.
///
/// At a broker's TCP port the connections of one device are in order: what it sends last on one connection is read
/// before what it sends first on the next. Here each session has a QUIC connection or stream of its own, and a CONNECT
/// can overtake the DISCONNECT before it. So a newcomer waits for the sessions that had the client id before, until
/// they are over or it is known that their device is still there. In sessions of the gateway the broker does not even
/// know the client ids, and all of [MQTT-3.1.4-3] is up to the bridge.
///
/// `Token` stands for a session. A session has one client id from its claim to its release, even while its device is
/// gone. Client ids are compared byte by byte. There is one token per session, so the bound is that of the devices,
/// plus `maximumLingering` for sessions whose device is gone.
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

    private struct Entry {
        var holder: Predecessor?
        /// Earlier holders. A newcomer's CONNECT must not come before their last packet.
        var earlier: [Predecessor] = []
    }

    /// How many sessions may wait for the time of their will at once.
    package let maximumLingering: Int
    /// How many sessions wait for the time of their will now.
    package private(set) var lingeringCount = 0
    private var entries: [ExactText: Entry] = [:]

    package init(maximumLingering: Int = 10_000) {
        self.maximumLingering = maximumLingering
    }

    /// How many client ids are in use.
    package var count: Int { entries.count }

    /// Gives the client id to `token`.
    ///
    /// - Returns: the session that had it, for whose ``release(_:_:)`` or ``pass(_:_:)`` the newcomer waits. If it is
    ///   connecting or held, it should be told to leave; if it is living, it should be asked whether its device is
    ///   still there.
    package mutating func claim(_ clientID: String, by token: Token) -> Predecessor? {
        let key = ExactText(text: clientID)
        let old = entries[key]?.holder
        guard old?.token != token else { return nil }
        entries[key, default: Entry()].holder = Predecessor(token: token, phase: .connecting)
        guard let old else { return nil }
        if old.phase == .lingering { lingeringCount -= 1 }
        entries[key]?.earlier.append(old)
        return old
    }

    /// How long a newcomer has to wait for the earlier sessions that are left.
    package func wait(_ clientID: String) -> ClientIDWait {
        guard let earlier = entries[ExactText(text: clientID)]?.earlier, !earlier.isEmpty else { return .none }
        let isLong = earlier.contains { [.connecting, .held, .unanswered].contains($0.phase) }
        return isLong ? .untilOver : .brief
    }

    /// Notes a session's new phase. If no other session has its client id any more, the session gets it back.
    ///
    /// - Returns: whether the session has the client id, and no other has.
    package mutating func set(_ phase: Phase, of clientID: String, _ token: Token) -> Bool {
        let key = ExactText(text: clientID)
        guard let holder = entries[key]?.holder else {
            entries[key, default: Entry()].holder = Predecessor(token: token, phase: phase)
            entries[key]?.earlier.removeAll { $0.token == token }
            return true
        }
        if holder.token == token {
            entries[key]?.holder?.phase = phase
            return true
        }
        if let index = entries[key]?.earlier.firstIndex(where: { $0.token == token }) {
            entries[key]?.earlier[index].phase = phase
        }
        return false
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
        guard entries[key]?.holder?.token != token else { return nil }
        return release(clientID, token)
    }

    /// The session is over.
    ///
    /// - Returns: the session that has the client id, if it need not wait for another session from now on.
    package mutating func release(_ clientID: String, _ token: Token) -> Token? {
        let key = ExactText(text: clientID)
        guard var entry = entries[key] else { return nil }
        if let holder = entry.holder, holder.token == token {
            if holder.phase == .lingering { lingeringCount -= 1 }
            entry.holder = nil
        }
        let wasAwaited = entry.earlier.contains { $0.token == token }
        entry.earlier.removeAll { $0.token == token }
        entries[key] = entry.holder == nil && entry.earlier.isEmpty ? nil : entry
        return wasAwaited && entry.earlier.isEmpty ? entry.holder?.token : nil
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
