import NIOCore
import Testing

@testable import BridgeCore

// Rules that hold for plans whatever happens, as soon as they have nothing more to do.
extension PlanWorld {
    /// The rules that are violated.
    ///
    /// - Parameter comparesLines: Whether each line is compared with the legs that wait, which takes some time.
    func violations(comparingLines comparesLines: Bool = true) -> [String] {
        var found = faults
        for driver in drivers { found += driver.violations(comparingLine: comparesLines) }
        for endpoint in configuration.endpoints.indices {
            let begun = drivers.flatMap(\.plan.permits).count { $0.way == .quic(endpoint) }
            let counted = gate.handshakes(to: endpoint)
            guard begun != counted else { continue }
            found.append("\(begun) handshakes to endpoint \(endpoint), the window counts \(counted)")
        }
        let probing = drivers.count(where: \.plan.probes.isClaimed)
        if probing != (gate.policy.isProbed ? 1 : 0) { found.append("\(probing) plans try the better ways") }
        return found + gate.violations(at: now)
    }
}

extension TestGate {
    func violations(at now: NIODeadline) -> [String] {
        policy.backoffs.keys.filter { purpose in
            guard var gate = policy.backoffs[purpose]?.gate, case .waitForProbe = gate.request(at: now) else {
                return false
            }
            return goAhead(purpose) == 0
        }.map { "the devices wait for one that goes ahead, and none does: \($0)" }
    }
}

extension UplinkPlan {
    /// The attempts that wait for an outcome.
    fileprivate var permits: [DialPermit] {
        connections.values.compactMap { connection in
            switch connection.role {
            case .dialing(let permit, _), .stocking(let permit): permit
            case .probing, .warm, .single, .shared, .leaving: nil
            }
        }
    }

    fileprivate func ids(where isWanted: (ConnectionRole) -> Bool) -> Set<UplinkConnectionID> {
        Set(connections.filter { isWanted($0.value.role) }.keys)
    }

    /// Whether the leg's place is one that the role of its connection allows.
    fileprivate func isInPlace(_ leg: UplinkLegID, _ place: LegPlace) -> Bool {
        switch (place, place.connection.flatMap { connections[$0]?.role }) {
        case (.inLine, _): true
        case (.dialing, .dialing(_, let other)?), (.early, .dialing(_, let other)?): other == leg
        case (.awaitingStream, .single(let other)?), (.open, .single(let other)?): other == leg
        case (.open, .shared?), (.open, .leaving?): true
        default: false
        }
    }
}

extension PlanDriver {
    func violations(comparingLine comparesLine: Bool) -> [String] {
        var found: [String] = []
        func expect(_ isTrue: Bool, _ words: @autoclosure () -> String) {
            if !isTrue { found.append("plan \(waker): \(words())") }
        }
        let isKnown = Set(plan.connections.keys) == Set(connections.keys)
        expect(isKnown, "connections are open that it does not know, or the reverse")
        expect(Set(plan.legs.keys) == Set(names.keys), "it has other legs than there are")
        guard !plan.isShutDown else { return found }
        for (leg, entry) in plan.legs {
            expect(plan.isInPlace(leg, entry.place), "\(name(leg)) has no place: \(entry.place)")
        }
        let waiting = plan.legs.filter { $0.value.place == .inLine }.keys
        expect(plan.line.count == waiting.count, "\(waiting.count) wait, and \(plan.line.count) are in the line")
        let isSame = !comparesLine || plan.line.all.sorted() == waiting.sorted()
        expect(isSame, "the line has others than those that wait")
        checkCollections(expect)
        for (id, connection) in plan.connections { check(id, connection, expect) }
        if let deadline = plan.deadline { expect(deadline > world.now, "its deadline is over") }
        expect(plan.nextAction(at: world.now, seeing: self) == nil, "it was not finished")
        expect(plan.line.isEmpty || isExpectingNews, "its devices wait for nothing")
        return found
    }

    private func checkCollections(_ expect: (Bool, @autoclosure () -> String) -> Void) {
        let plan = plan
        expect(plan.dialing == plan.ids { if case .dialing = $0 { true } else { false } }, "wrong dials")
        let unclaimed = plan.ids { if case .dialing(_, nil) = $0 { true } else { false } }
        expect(plan.unclaimedDials == unclaimed.count, "wrong number of unclaimed dials")
        let isKnown = plan.configuration.mapping != .auto
        expect(!isKnown || unclaimed.count <= 8, "\(unclaimed.count) dials that nobody waits for")
        let shared = plan.ids { if case .shared = $0 { true } else { false } }
        expect(plan.shared.sorted() == shared.sorted(), "wrong shared connections")
        let warm = plan.ids { if case .warm = $0 { true } else { false } }
        expect(plan.stock.connections.sorted() == warm.sorted(), "wrong stock")
        let stocking = plan.ids { if case .stocking = $0 { true } else { false } }
        expect(stocking == Set([plan.stock.dial].compactMap { $0 }), "wrong dial for the stock")
        let probing = plan.ids { if case .probing = $0 { true } else { false } }
        expect(probing == Set([plan.probes.connection].compactMap { $0 }), "wrong probe")
        expect(warm.count <= max(plan.stockTarget, 1), "the stock is too large")
    }

    private func check(
        _ id: UplinkConnectionID, _ connection: UplinkPlan.Connection,
        _ expect: (Bool, @autoclosure () -> String) -> Void
    ) {
        let legs = Set(plan.legs.filter { $0.value.place == .open(id) || $0.value.place == .early(id) }.keys)
        let number = connections[id]?.number ?? 0
        expect(connections[id]?.legs == legs, "connection \(number) carries others than the plan thinks")
        switch connection.role {
        case .dialing, .stocking, .probing, .warm:
            expect(connection.legCount == 0, "connection \(number) carries nobody yet")
        case .single:
            expect(connection.legCount == legs.count, "connection \(number) counts wrongly")
        case .shared:
            expect(connection.legCount == legs.count, "connection \(number) counts wrongly")
            let due = connection.idleCheckAt
            expect((due == nil) == !legs.isEmpty, "connection \(number) is never closed, or although it is in use")
            if let due, let next = plan.nextIdleCheck { expect(next <= due, "connection \(number) is closed too late") }
            expect(due == nil || plan.nextIdleCheck != nil, "connection \(number) is never looked at")
        case .leaving:
            expect(connection.legCount == legs.count && !legs.isEmpty, "connection \(number) is of no use to anybody")
        }
    }

    /// Whether something will happen after which the first of the line is looked at.
    private var isExpectingNews: Bool {
        let policy = world.gate.policy
        return plan.lineRetryAt != nil || !plan.dialing.isEmpty || plan.stock.dial != nil
            || plan.awaitsFirstStream(seeing: self)
            || (policy.waitingForPlace.contains(waker) && policy.windows.contains { $0.count > 0 })
            || policy.backoffs[plan.purpose]?.waiting.contains(waker) == true
    }
}

extension LegPlace {
    /// The connection that the leg has or waits for; `nil` in the line.
    var connection: UplinkConnectionID? {
        switch self {
        case .inLine: nil
        case .dialing(let id), .early(let id), .awaitingStream(let id), .open(let id): id
        }
    }

    /// Whether its CONNECT may have been sent.
    var hasSent: Bool {
        switch self {
        case .inLine, .dialing, .awaitingStream: false
        case .early, .open: true
        }
    }
}
