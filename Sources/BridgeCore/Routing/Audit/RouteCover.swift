/// Looks for a topic that a route takes and none of some others does.
///
/// The search reads topics level by level, and remembers which of the other routes are still possible: a level that none
/// of them names stands for all such levels. It visits each such state once. Their number can grow without bound for many
/// routes with many wildcards, so it stops at a budget.
struct RouteCover {
    enum Verdict: Equatable {
        /// The others take every topic of the route.
        case covered
        /// The route takes some topic that no other one takes.
        case open
        /// The budget was used up.
        case unknown
    }

    private struct State: Hashable {
        var position: Int
        var own: RouteLanguage.Progress
        var rivals: [Rival]
        var isLastEmpty: Bool
    }

    private struct Rival: Hashable {
        var index: Int
        var progress = RouteLanguage.Progress()
    }

    private let route: RouteLanguage
    private let others: [RouteLanguage]
    private let numbers: LevelNumbers
    /// From here on all levels are alike.
    private let end: Int
    private var visited: Set<State> = []
    private var budget: Int

    /// - Parameter budget: How many states may still be visited; the search takes from it.
    static func verdict(
        _ route: RouteLanguage, without others: [RouteLanguage], _ numbers: LevelNumbers, budget: inout Int
    ) -> Verdict {
        var search = RouteCover(route, others, numbers, budget)
        let start = State(
            position: 0, own: .init(), rivals: others.indices.map { Rival(index: $0) }, isLastEmpty: false)
        let isOpen = search.finds(from: start)
        budget = search.budget
        return isOpen ? .open : search.budget > 0 ? .covered : .unknown
    }

    private init(_ route: RouteLanguage, _ others: [RouteLanguage], _ numbers: LevelNumbers, _ budget: Int) {
        self.route = route
        self.others = others
        self.numbers = numbers
        self.budget = budget
        end = 2 + (others.map(\.levels.count) + [route.levels.count]).reduce(0, max)
    }

    /// Whether a topic that begins with the levels that led to `state` is taken by the route alone.
    private mutating func finds(from state: State) -> Bool {
        guard budget > 0, visited.insert(state).inserted else { return false }
        if isTakenByRouteAlone(state) { return true }
        let levels = levels(after: state)
        // Each level is compared with each rival.
        budget -= 1 + state.rivals.count * levels.count / 64
        for level in levels {
            guard let next = step(from: state, with: level) else { continue }
            if finds(from: next) { return true }
        }
        return false
    }

    private func isTakenByRouteAlone(_ state: State) -> Bool {
        let count = state.position
        // There is no empty topic.
        guard count > 0, count > 1 || !state.isLastEmpty else { return false }
        return route.takes(state.own, count: count, isLastEmpty: state.isLastEmpty)
            && !state.rivals.contains {
                others[$0.index].takes($0.progress, count: count, isLastEmpty: state.isLastEmpty)
            }
    }

    private func step(from state: State, with level: Int) -> State? {
        var next = state
        guard route.continues(&next.own, with: level, at: state.position, numbers) else { return nil }
        next.rivals = state.rivals.compactMap { rival in
            var rival = rival
            let goesOn = others[rival.index].continues(&rival.progress, with: level, at: state.position, numbers)
            return goesOn ? rival : nil
        }
        next.isLastEmpty = level == LevelNumbers.empty
        next.position = min(state.position + 1, end)
        return next
    }

    /// One level of each kind that the route and its rivals tell apart. Those that rule out most rivals come first.
    private func levels(after state: State) -> [Int] {
        if state.position < route.levels.count, route.levels[state.position] >= 0 {
            return [route.levels[state.position]]
        }
        let named = Set(
            state.rivals.compactMap { rival -> Int? in
                let levels = others[rival.index].levels
                return state.position < levels.count && levels[state.position] > 0 ? levels[state.position] : nil
            })
        return [LevelNumbers.unnamed, LevelNumbers.unnamedDollar, LevelNumbers.empty] + named.sorted()
    }
}
