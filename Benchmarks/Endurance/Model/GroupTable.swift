/// Which devices belong to which group: numbers are given to the groups one after the other.
package struct GroupTable: Sendable {
    package let sizes: [(group: Group, count: Int)]

    package init(_ sizes: [(group: Group, count: Int)]) {
        self.sizes = sizes
    }

    package var count: Int { sizes.reduce(0) { $0 + $1.count } }

    /// The numbers of a group's devices.
    package func numbers(_ group: Group) -> Range<Int> {
        var start = 0
        for (other, count) in sizes {
            if other == group { return start..<start + count }
            start += count
        }
        return 0..<0
    }

    package subscript(device: Int) -> Group {
        var start = 0
        for (group, count) in sizes {
            start += count
            if device < start { return group }
        }
        return .direct
    }
}
