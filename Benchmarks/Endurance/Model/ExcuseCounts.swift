/// What the judge has let pass, and why: a verdict is worth as much as this is small.
package struct ExcuseCounts: Sendable, Equatable {
    package struct Key: Hashable, Sendable {
        package let group: Group
        package let what: String
        /// The trouble, or what the devices themselves have done.
        package let reason: String
    }

    package private(set) var counts: [Key: Int] = [:]

    package init() {}

    package mutating func add(_ group: Group, _ what: String, _ reason: String, _ count: Int = 1) {
        counts[Key(group: group, what: what, reason: reason), default: 0] += count
    }

    package mutating func add(_ other: ExcuseCounts) {
        counts.merge(other.counts, uniquingKeysWith: +)
    }

    /// How often something was excused in a group, for any reason.
    package func total(_ group: Group, _ what: String) -> Int {
        counts.reduce(0) { $1.key.group == group && $1.key.what == what ? $0 + $1.value : $0 }
    }
}
