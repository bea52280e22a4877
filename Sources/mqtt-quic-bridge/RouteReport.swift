import BridgeCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The answer of `routes test`, as text or as JSON.
struct RouteReport {
    var device: RouteTrial.Device
    var trial: RouteTrial
    /// `publish` or `subscribe`; `nil` if only the table is wanted.
    var action: String?
    var topic: String?
    var verdict: RouteVerdict?
    /// `nil` if it is not wanted.
    var table: [RouteTrial.Row]?
    var unrouted: UnroutedPolicy

    private struct Document: Encodable {
        var broker: RouteTrial.Identity
        var action: String?
        var topic: String?
        var verdict: RouteVerdict?
        var routes: [RouteTrial.Row]?
        var unrouted: String
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let document = Document(
            broker: trial.identity, action: action, topic: topic, verdict: verdict, routes: table,
            unrouted: unrouted.rawValue)
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }

    /// - Parameter places: Where each route is written.
    func text(places: [String]) -> String {
        var lines = identityLines
        if let verdict, let action, let topic {
            lines.append(Self.line(action, Self.quoted(topic)))
            lines += verdictLines(verdict, action, places)
        }
        if let table { lines += ["", "Routes of this device, the first that matches decides:"] + rows(table, places) }
        return lines.joined(separator: "\n")
    }

    // MARK: - Who

    private var identityLines: [String] {
        let identity = trial.identity
        var lines = [
            Self.line("device", Self.name(device.clientID, device.username)),
            Self.line("at", "listener \(Self.quoted(device.listener)), from \(device.peer)"),
            Self.line("broker sees", "\(Self.name(identity.clientID, identity.username)) (\(source(identity)))"),
        ]
        if let assigned = identity.assignedClientID {
            lines.append(
                Self.line(
                    "",
                    "the bridge chose \(Self.quoted(assigned)) for the device, and would choose another one next time"))
        }
        return lines
    }

    private func source(_ identity: RouteTrial.Identity) -> String {
        switch identity.source {
        case .device: "the device's own"
        case .configured: "by auth, in the mode inject"
        case .clientIDOverride: "by auth.overrides, which matches the client id"
        case .usernameOverride: "by auth.overrides, which matches the user name"
        case .bundle: "by the bundle of the device, in auth.bundles"
        case .mappedBundle: "by the bundle that auth.bundle_map names"
        case .gateway: "the gateway of uplink.identity; a user name's password is checked here"
        }
    }

    // MARK: - What becomes of it

    private func verdictLines(_ verdict: RouteVerdict, _ action: String, _ places: [String]) -> [String] {
        guard verdict.outcome == .forwarded else { return keptLines(verdict, places) }
        return verdict.ways.flatMap { way in
            let seen = action == "publish" ? "the broker sees it on" : "the broker sees a subscription to"
            var effects = ["\(seen) \(Self.quoted(way.remote))"]
            if way.qosLimit < 2 { effects.append("at QoS \(way.qosLimit) at most") }
            if way.stripsRetain { effects.append("without RETAIN") }
            return [
                Self.line("decided by", decider(way.route, places)),
                Self.line("result", "forwarded: \(effects.joined(separator: ", "))"),
                Self.line("way back", back(way, action, places)),
            ] + (way.remark.map { [Self.line("note", $0)] } ?? [])
        }
    }

    private func back(_ way: RouteVerdict.Way, _ action: String, _ places: [String]) -> String {
        let back = way.back
        let message = "a message of the broker on \(Self.quoted(back.remote))"
        guard let local = back.local else {
            return "\(message) does not reach the device: no route that goes down matches"
        }
        var text = "\(message) reaches the device on \(Self.quoted(local))"
        if back.stripsRetain { text += ", without RETAIN" }
        if back.route != way.route { text += ", by \(decider(back.route, places))" }
        if !back.isExpected {
            text +=
                action == "publish"
                ? "; this is not the topic that it published on" : "; its filter does not match this topic"
        }
        return text
    }

    private func keptLines(_ verdict: RouteVerdict, _ places: [String]) -> [String] {
        var lines = [Self.line("result", "\(verdict.outcome.rawValue): \(verdict.reason ?? "")")]
        for index in verdict.otherDirection {
            lines.append(Self.line("", "\(decider(index, places)) matches, but has the other direction"))
        }
        // Answers that are alike are shown once.
        for version in ["3.1.1", "5.0"] {
            let answers = verdict.answers.filter { $0.version == version }
            let texts = answers.map { answer in answer.qos.map { "QoS \($0): \(answer.text)" } ?? answer.text }
            let isAlike = Set(answers.map(\.text)).count == 1
            let text = isAlike ? answers.first?.text ?? "" : texts.joined(separator: "; ")
            lines.append(Self.line("told in \(version)", text))
        }
        return lines
    }

    private func decider(_ route: Int?, _ places: [String]) -> String {
        guard let route else {
            return trial.table.isEmpty ? "no route: there are none" : "no route: unrouted is \(unrouted.rawValue)"
        }
        let row = trial.table[route]
        return "routes[\(route)]\(places.indices.contains(route) ? " (\(places[route]))" : ""),"
            + " \(Self.quoted(row.local)) to \(Self.quoted(row.remote))"
    }

    // MARK: - Table

    private func rows(_ table: [RouteTrial.Row], _ places: [String]) -> [String] {
        let cells = table.map { row in
            [
                "routes[\(row.route)]", places.indices.contains(row.route) ? places[row.route] : "",
                Self.quoted(row.local), row.direction == "up" ? "->" : row.direction == "down" ? "<-" : "<->",
                Self.quoted(row.remote), row.qosLimit < 2 ? "max_qos \(row.qosLimit)" : "",
                row.stripsRetain ? "retain stripped" : "",
            ]
        }
        let widths = (0..<7).map { column in cells.map { $0[column].count }.max() ?? 0 }
        let lines = cells.map { row in
            "  "
                + zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                .joined(separator: "  ").trimmingSuffix(while: { $0 == " " })
        }
        let rest =
            table.isEmpty
            ? "there are none, so everything passes unchanged" : "what no route matches: \(unrouted.rawValue)"
        return lines + ["  \(rest)"]
    }

    // MARK: - Words

    private static func line(_ name: String, _ text: String) -> String {
        name + String(repeating: " ", count: max(1, 14 - name.count)) + text
    }

    private static func name(_ clientID: String, _ username: String?) -> String {
        let client = clientID.isEmpty ? "no client id" : "client id \(quoted(clientID))"
        return "\(client), \(username.map { "user name \(quoted($0))" } ?? "no user name")"
    }

    private static func quoted(_ text: String) -> String { text.quotedForMessage(limit: 200) }
}

extension String {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> String {
        var rest = self[...]
        while let last = rest.last, isTrimmed(last) { rest.removeLast() }
        return String(rest)
    }
}
