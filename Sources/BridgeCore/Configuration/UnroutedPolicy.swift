/// What becomes of a topic or filter that no route matches, where there are routes at all.
package enum UnroutedPolicy: String, Sendable, CaseIterable {
    /// Passed unchanged.
    case pass
    /// Acknowledged to the sender, counted, and passed to nobody.
    case drop
    /// Refused with the protocol's own answer, or by closing the device where the protocol has none.
    case reject
}
