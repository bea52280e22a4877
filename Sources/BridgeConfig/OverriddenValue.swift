/// A value of the configuration file that has no effect, because the environment or `.env` has another one.
package struct OverriddenValue: Sendable, Equatable, CustomStringConvertible {
    /// The path of its key: `uplink.host`.
    package var key: String
    package var origin: Origin
    /// Where the value is written that is in force.
    package var winner: Origin

    package var description: String { "\(winner): overrides \(key) of \(origin)" }
}
