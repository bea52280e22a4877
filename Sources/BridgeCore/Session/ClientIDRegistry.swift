/// Which session has which client id, and which sessions that had it before are still on their way out.
///
/// Devices of one client id are in order on a broker's TCP port: what a device sends last on one connection is read before
/// what it sends first on the next. Here each session has a QUIC connection or stream of its own, and a CONNECT can
/// overtake the DISCONNECT before it. So a newcomer waits for those that had the client id before, until they are over or
/// it is known that their device is still there. In sessions of the gateway the broker does not even know the client ids,
/// and all of [MQTT-3.1.4-3] is the bridge's to do.
///
/// `Token` names a session. A session has one client id from its claim to its release, also while its device is gone.
/// Client ids are compared byte by byte. There is one token per session, so the bound is that of the devices, and
/// `maximumLingering` for those that are gone.
package struct ClientIDRegistry<Token: Hashable & Sendable>: Sendable {
    package enum Phase: Sendable, Equatable {
        /// The broker has not let it in yet.
        case connecting
        /// Connected.
        case living
        /// Its uplink is away, and it is kept meanwhile: see ``Hold``.
        case held
        /// The device has left, and the broker has been told or is being told.
        case leaving
        /// The same of one that has not heard of the broker: its CONNECT may still be on its way.
        case unanswered
        /// In a session of the gateway: the device is gone, and its will waits for its time.
        case lingering
    }

    /// Whoever had the client id until now.
    package struct Predecessor: Sendable, Equatable {
        package var token: Token
        package var phase: Phase
    }

    private struct Entry {
        var holder: Predecessor?
        /// Earlier holders: a newcomer's CONNECT is not to come before their last packet.
        var earlier: [Predecessor] = []
    }

    /// Sessions whose device is gone and whose will waits.
    package let maximumLingering: Int
    package private(set) var lingeringCount = 0
    private var entries: [ExactText: Entry] = [:]

    package init(maximumLingering: Int = 10_000) {
        self.maximumLingering = maximumLingering
    }

    /// Client ids that somebody has.
    package var count: Int { entries.count }

    /// The client id is `token`'s from now on. Answers who had it, whose ``release(_:_:)`` or ``pass(_:_:)`` the newcomer
    /// waits for: one that is connecting or held should be told to leave, and a living one be asked whether its device is
    /// still there.
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

    /// For those that are left of who had it before.
    package func wait(_ clientID: String) -> ClientIDWait {
        guard let earlier = entries[ExactText(text: clientID)]?.earlier, !earlier.isEmpty else { return .none }
        let isLong = earlier.contains { [.connecting, .held, .unanswered].contains($0.phase) }
        return isLong ? .untilOver : .brief
    }

    /// What has become of a session. Where nobody has its client id any more, it has it again.
    ///
    /// - Returns: whether it has the client id, and no other session.
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
    /// - Returns: whether it may: not where too many wait already, nor where another has the client id by now. Then the
    ///   will is due.
    package mutating func linger(_ clientID: String, _ token: Token) -> Bool {
        let key = ExactText(text: clientID)
        guard let holder = entries[key]?.holder, holder.token == token else { return false }
        if holder.phase == .lingering { return true }
        guard lingeringCount < maximumLingering else { return false }
        entries[key]?.holder?.phase = .lingering
        lingeringCount += 1
        return true
    }

    /// The session had the client id before, and nobody has to wait for it: its device is there, and the broker decides
    /// between the two. Answers as ``release(_:_:)``.
    package mutating func pass(_ clientID: String, _ token: Token) -> Token? {
        let key = ExactText(text: clientID)
        guard entries[key]?.holder?.token != token else { return nil }
        return release(clientID, token)
    }

    /// The session is over. Answers who has the client id, where that one need not wait for anybody from now on.
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

/// How long a newcomer has to wait for those that had the client id before it.
package enum ClientIDWait: Sendable, Equatable {
    case none
    /// Until they are over, but for a moment only: a broker that they have been with decides between two sessions.
    case brief
    /// Until they are over: a CONNECT that comes late would take the newcomer's session over.
    case untilOver
}
