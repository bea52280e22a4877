import NIOCore

@testable import BridgeCore

// Performs a plan's actions, and puts them into words.
extension PlanDriver {
    func perform(_ action: UplinkAction) {
        if case .dial(let id, let dial) = action {
            lastNumber += 1
            connections[id] = Connection(id, lastNumber, dial)
        }
        if action == .watchPaths { watches += 1 } else { log.append(words(action)) }
        switch action {
        case .openStream(let leg, let id, let mayComeBack):
            openStream(leg, on: id, mayComeBack: mayComeBack)
        case .close(let id), .retire(let id):
            connections[id] = nil
        case .doubt(let id):
            connections[id]?.isSilent = true
        case .unreachable(let leg, _):
            forget(leg)
        case .handOver(let leg, let keepAlive):
            let name = name(leg)
            forget(leg)
            guard let successor else { return faults.append("\(name) is handed over to nobody") }
            successor.ask(name, keepAlive: keepAlive)
        case .dial, .hurry, .giveUp, .watchPaths, .report:
            break
        }
    }

    private func openStream(_ leg: UplinkLegID, on id: UplinkConnectionID, mayComeBack: Bool) {
        guard names[leg] != nil else { return }
        guard let connection = connections[id] else {
            return plan.streamUnavailable(for: leg, at: world.now)
        }
        if connections.values.contains(where: { $0.legs.contains(leg) }) {
            faults.append("\(name(leg)) gets a second stream")
        }
        guard !connection.refusesStreams, connection.legs.count < connection.streams else {
            return plan.streamUnavailable(for: leg, at: world.now)
        }
        connection.legs.insert(leg)
        if mayComeBack { connection.mayComeBack.insert(leg) }
        carry(leg, on: connection)
    }

    func name(_ leg: UplinkLegID) -> String { names[leg] ?? "leg \(leg.rawValue)" }

    private func number(_ id: UplinkConnectionID) -> String {
        connections[id].map { "\($0.number)" } ?? "one that is over"
    }

    private func words(_ action: UplinkAction) -> String {
        switch action {
        case .dial(let id, let dial): "dial \(number(id))\(words(dial.aim))\(words(dial.way))"
        case .openStream(let leg, let id, let mayComeBack):
            "open \(name(leg)) on \(number(id))\(mayComeBack ? ", may come back" : "")"
        case .close(let id): "close \(number(id))"
        case .retire(let id): "retire \(number(id))"
        case .hurry(let id): "hurry \(number(id))"
        case .doubt(let id): "doubt \(number(id))"
        case .giveUp(let id): "give up \(number(id))"
        case .unreachable(let leg, let why): "\(name(leg)) unreachable: \(why)"
        case .handOver(let leg, _): "hand over \(name(leg))"
        case .watchPaths: "watch the paths"
        case .report(.connectionStocked): "news: stocked"
        case .report(.stockedConnectionEnded): "news: stocked one ended"
        case .report(.mappingChosen(let mapping, _)): "news: \(mapping)"
        case .report(.sharedConnectionLost(let devices, _)): "news: lost with \(devices)"
        case .report(.legCameBack): "news: came back"
        }
    }

    private func words(_ aim: UplinkDial.Aim) -> String {
        switch aim {
        case .device(let leg?): " for \(name(leg))"
        case .device(nil): " for nobody"
        case .stock: " for the stock"
        case .probe: " to probe"
        }
    }

    private func words(_ way: UplinkWay) -> String {
        switch way {
        case .quic(0): ""
        case .quic(let endpoint): " over quic\(endpoint)"
        case .tls: " over tls"
        }
    }
}
