/// What happens to a topic or filter that no route matches, if there are routes.
package enum UnroutedPolicy: String, Sendable, CaseIterable {
    /// It passes unchanged.
    case pass
    /// It is acknowledged to the sender, counted and discarded.
    case drop
    /// It is refused with the protocol's own answer. If the protocol has none, the device's connection is closed.
    case reject
}
