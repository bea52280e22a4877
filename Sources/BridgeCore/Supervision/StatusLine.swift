extension StatusReport {
    /// The state in one line, as `systemctl status` shows it.
    package var line: String {
        let isServe = program.command == "serve"
        let who = isServe ? "clients" : "devices"
        var parts = [program.isDraining ? "draining" : nil, wayLine].compactMap { $0 }
        var counts = ["\(devices.live) \(who) live"]
        if devices.held > 0 { counts.append("\(devices.held) held") }
        if devices.connecting > 0 { counts.append("\(devices.connecting) connecting") }
        if devices.ending > 0 { counts.append("\(devices.ending) ending") }
        parts.append(counts.joined(separator: ", "))
        return parts.joined(separator: "; ")
    }

    private var wayLine: String {
        let way = "\(uplink.transport.uppercased()) to \(uplink.endpoint)"
        switch uplink.state {
        case .up: return "broker reached by \(way)\(uplink.mapping.map { ", mapping \($0)" } ?? "")"
        case .down: return "broker not reached by \(way): \(uplink.problem ?? "no reason is known")"
        case .unknown: return "broker not tried yet, \(way)"
        }
    }
}
