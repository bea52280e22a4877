/// Faults in the order in which they were found, as many as a report can use.
package struct FaultList: Sendable {
    package private(set) var all: [Fault] = []
    /// Of each kind, also those that were not kept.
    package private(set) var counts: [Fault.Kind: Int] = [:]

    /// A run in which everything is lost must not fill the memory with that.
    package static let limit = 5000

    package init() {}

    package mutating func add(_ fault: Fault) {
        counts[fault.kind, default: 0] += 1
        if all.count < Self.limit { all.append(fault) }
    }

    package mutating func add(_ list: FaultList) {
        for fault in list.all { if all.count < Self.limit { all.append(fault) } }
        counts.merge(list.counts, uniquingKeysWith: +)
    }

    package var isEmpty: Bool { counts.isEmpty }
}
