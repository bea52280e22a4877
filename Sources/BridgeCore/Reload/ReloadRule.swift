/// What a reload does if one key of the configuration has changed.
package struct ReloadRule<Configuration: Sendable>: Sendable {
    /// The key, such as `uplink.host`. Further keys are other ways to give the same value, such as the path of a file
    /// that contains it.
    package let keys: [String]
    /// When the new value takes effect, unless the key has to wait for another one.
    package let effect: ReloadEffect
    /// What the change means, in a sentence without a period.
    let detail: String
    let differs: @Sendable (_ old: Configuration, _ new: Configuration) -> Bool
    /// Gives the key the value that it had.
    private(set) var restore: @Sendable (_ old: Configuration, _ new: inout Configuration) -> Void
    private var binding: Binding?

    private struct Binding: Sendable {
        let key: String
        let isBound: @Sendable (_ old: Configuration, _ new: Configuration) -> Bool
    }

    /// A key whose new value can be used without a restart.
    init<Value: Equatable & Sendable>(
        _ keys: String..., at path: KeyPath<Configuration, Value> & Sendable, _ effect: ReloadEffect, _ detail: String
    ) {
        precondition(effect != .restart, "a key that needs a restart has to be restored")
        self.init(keys, path, effect, detail) { _, _ in }
    }

    /// A key that needs a restart.
    static func restart<Value: Equatable & Sendable>(
        _ key: String, at path: WritableKeyPath<Configuration, Value> & Sendable, _ detail: String
    ) -> Self {
        Self([key], path, .restart, detail) { $1[keyPath: path] = $0[keyPath: path] }
    }

    private init<Value: Equatable & Sendable>(
        _ keys: [String], _ path: KeyPath<Configuration, Value> & Sendable, _ effect: ReloadEffect, _ detail: String,
        restore: @escaping @Sendable (_ old: Configuration, _ new: inout Configuration) -> Void
    ) {
        self.keys = keys
        self.effect = effect
        self.detail = detail
        self.differs = { $0[keyPath: path] != $1[keyPath: path] }
        self.restore = restore
    }

    /// The rule of a key that only makes sense together with another one: if `isBound`, it has to wait for a restart
    /// with that one, and everything at `section` keeps its value.
    func bound<Value: Sendable>(
        to key: String, restoring section: WritableKeyPath<Configuration, Value> & Sendable,
        if isBound: @escaping @Sendable (_ old: Configuration, _ new: Configuration) -> Bool
    ) -> Self {
        var rule = self
        rule.binding = Binding(key: key, isBound: isBound)
        rule.restore = { $1[keyPath: section] = $0[keyPath: section] }
        return rule
    }

    /// What becomes of this change.
    func outcome(_ old: Configuration, _ new: Configuration) -> (effect: ReloadEffect, detail: String) {
        guard let binding, binding.isBound(old, new) else { return (effect, detail) }
        return (.restart, "it belongs to \(binding.key), which needs a restart")
    }
}

/// A configuration that can be replaced while the program runs.
package protocol Reloadable: Sendable, Equatable {
    /// One rule for each key, in the order of the documentation.
    static var reloadRules: [ReloadRule<Self>] { get }
    /// What is logged, and how.
    var log: LogConfiguration { get set }
    var admin: AdminConfiguration { get set }
    /// How many event loops there are.
    var threads: Int { get set }
    /// How long a busy event loop waits for more.
    var gatherDelay: Duration { get set }
}

extension ReloadRule where Configuration: Reloadable {
    /// The rules of the keys that every command has.
    static var ofEveryCommand: [Self] {
        let atOnce = "it applies from now on"
        let endpoint = "the admin endpoint stays as it is until then"
        return [
            ReloadRule("log.level", at: \.log.level, .now, atOnce),
            ReloadRule("log.format", at: \.log.format, .now, atOnce),
            ReloadRule("log.repeats", at: \.log.repeats, .now, atOnce),
            .restart("admin.listen", at: \.admin.listen, endpoint),
            .restart("admin.token_file", at: \.admin.tokenFile, endpoint),
            .restart("admin.host_names", at: \.admin.hostNames, endpoint),
            .restart("threads", at: \.threads, "the number of event loops stays the same until then"),
            .restart("gather_delay", at: \.gatherDelay, "event loops go on as they do until then"),
        ]
    }
}
