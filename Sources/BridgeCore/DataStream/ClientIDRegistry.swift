/// Which session has which client id among the gateway's own devices: the broker, which sees the gateway only, cannot
/// know ([MQTT-3.1.4-3]).
///
/// `Token` names a session. A session has one client id from its claim to its release, also while its device is gone
/// and its will waits for its time. Client ids are compared byte by byte. There is one entry a session, so the bound is
/// that of the devices, and `maximumLingering` for those that are gone.
package struct ClientIDRegistry<Token: Hashable & Sendable>: Sendable {
    /// Whoever had the client id until now: to be told `takenOver(byContinuation:)`.
    package struct Predecessor: Sendable, Equatable {
        package var token: Token
        /// Its device is gone, only its will is left.
        package var isLingering: Bool
    }

    /// Sessions whose device is gone and whose will waits.
    package let maximumLingering: Int
    package private(set) var lingeringCount = 0
    private var holders: [ExactText: Predecessor] = [:]

    package init(maximumLingering: Int = 10_000) {
        self.maximumLingering = maximumLingering
    }

    package var count: Int { holders.count }

    /// The client id is `token`'s from now on. Answers who had it.
    package mutating func claim(_ clientID: String, by token: Token) -> Predecessor? {
        let new = Predecessor(token: token, isLingering: false)
        guard let old = holders.updateValue(new, forKey: ExactText(text: clientID)) else { return nil }
        if old.isLingering { lingeringCount -= 1 }
        return old.token == token ? nil : old
    }

    /// The device of `token` is gone, and its will waits.
    ///
    /// - Returns: whether it may: not where too many wait already, nor where another has the client id by now. Then the
    ///   will is due.
    package mutating func linger(_ clientID: String, _ token: Token) -> Bool {
        guard let holder = holders[ExactText(text: clientID)], holder.token == token else { return false }
        if holder.isLingering { return true }
        guard lingeringCount < maximumLingering else { return false }
        holders[ExactText(text: clientID)]?.isLingering = true
        lingeringCount += 1
        return true
    }

    /// The session is over. Nothing happens where another has the client id by now.
    package mutating func release(_ clientID: String, _ token: Token) {
        let key = ExactText(text: clientID)
        guard let holder = holders[key], holder.token == token else { return }
        holders[key] = nil
        if holder.isLingering { lingeringCount -= 1 }
    }
}
