/// Which packet identifiers of one stream are in use (MQTT 5 2.2.1).
package struct PacketIdentifiers: Sendable {
    private var used: Set<UInt16> = []
    private var last: UInt16

    /// - Parameter last: The first one that is given out is the next.
    init(after last: UInt16 = 0) { self.last = last }

    package var count: Int { used.count }

    /// One that is not in use, other than those that were freed lately; `nil` if there is none.
    mutating func allocate() -> UInt16? {
        guard used.count < Int(UInt16.max) else { return nil }
        repeat { last = last == .max ? 1 : last + 1 } while used.contains(last)
        used.insert(last)
        return last
    }

    mutating func free(_ identifier: UInt16) { used.remove(identifier) }

    mutating func freeAll() { used = [] }
}
