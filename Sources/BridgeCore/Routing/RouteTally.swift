/// How often the routes were used by the sessions of one event loop, and what became of what no route matched.
///
/// Plain integers of the loop's own: only its sessions count, and whoever wants to know asks on the loop. That is what
/// makes it safe to hand over with the routes.
package final class RouteTally: @unchecked Sendable {
    /// What a route is used for.
    package enum Use: Int, Sendable, CaseIterable {
        /// A message of a device, or its will.
        case up
        /// A message of the broker.
        case down
        /// A filter of a device.
        case filter
    }

    /// What becomes of something that no route matches, or whose topic would be too long.
    package enum Fate: Int, Sendable, CaseIterable {
        case passed, dropped, rejected
    }

    private let uses: UnsafeMutablePointer<UInt64>
    private let fates: UnsafeMutablePointer<UInt64>
    private let findings: UnsafeMutablePointer<UInt64>
    private let routeCount: Int

    init(routes: Int) {
        routeCount = routes
        uses = .allocate(capacity: max(routes * Use.allCases.count, 1))
        uses.initialize(repeating: 0, count: max(routes * Use.allCases.count, 1))
        fates = .allocate(capacity: Use.allCases.count * Fate.allCases.count)
        fates.initialize(repeating: 0, count: Use.allCases.count * Fate.allCases.count)
        findings = .allocate(capacity: PlatformFinding.allCases.count)
        findings.initialize(repeating: 0, count: PlatformFinding.allCases.count)
    }

    deinit {
        uses.deallocate()
        fates.deallocate()
        findings.deallocate()
    }

    /// Something passed: by that route, or without one.
    func passed(_ use: Use, by route: Int?) {
        guard let route else { return count(use, .passed) }
        guard route >= 0, route < routeCount else { return }
        uses[route * Use.allCases.count + use.rawValue] &+= 1
    }

    func count(_ use: Use, _ fate: Fate, times: Int = 1) {
        fates[use.rawValue * Fate.allCases.count + fate.rawValue] &+= UInt64(clamping: times)
    }

    func count(_ finding: PlatformFinding) {
        findings[finding.rawValue] &+= 1
    }

    /// What has been counted until now.
    package var totals: RouteTotals {
        var totals = RouteTotals()
        totals.uses = (0..<routeCount * Use.allCases.count).map { uses[$0] }
        totals.fates = (0..<Use.allCases.count * Fate.allCases.count).map { fates[$0] }
        totals.findings = PlatformFinding.allCases.map { findings[$0.rawValue] }
        return totals
    }
}

/// The figures of ``RouteTally``, of one event loop or of all together.
package struct RouteTotals: Sendable, Equatable {
    fileprivate var uses: [UInt64] = []
    fileprivate var fates: [UInt64] = []
    fileprivate var findings: [UInt64] = []

    package init() {}

    /// How often a route was used.
    ///
    /// - Parameter route: The index of the route.
    package subscript(route: Int, use: RouteTally.Use) -> UInt64 {
        let index = route * RouteTally.Use.allCases.count + use.rawValue
        return uses.indices.contains(index) ? uses[index] : 0
    }

    /// How often that became of something for which no route was used.
    package subscript(use: RouteTally.Use, fate: RouteTally.Fate) -> UInt64 {
        let index = use.rawValue * RouteTally.Fate.allCases.count + fate.rawValue
        return fates.indices.contains(index) ? fates[index] : 0
    }

    package subscript(finding: PlatformFinding) -> UInt64 {
        findings.indices.contains(finding.rawValue) ? findings[finding.rawValue] : 0
    }

    package static func + (left: Self, right: Self) -> Self {
        var sum = RouteTotals()
        sum.uses = added(left.uses, right.uses)
        sum.fates = added(left.fates, right.fates)
        sum.findings = added(left.findings, right.findings)
        return sum
    }

    /// The sums of two lists. If one is longer, its last values stay as they are.
    private static func added(_ left: [UInt64], _ right: [UInt64]) -> [UInt64] {
        var sum = left.count < right.count ? right : left
        for index in 0..<min(left.count, right.count) { sum[index] = left[index] &+ right[index] }
        return sum
    }
}
