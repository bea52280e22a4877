/// What a call asks for.
package struct EnduranceOptions: Sendable {
    package let seconds: Double
    package let devices: Int
    package let seed: UInt64
    /// The mappings that are tested, beside devices that are connected directly.
    package let mappings: [Group]
    /// The troubles that there may be.
    package let troubles: [Trouble.Kind]
    /// The file for the report as JSON; `nil` for none.
    package let json: String?
    /// The project's folder.
    package let root: String
    /// A folder that gets the logs of all programs; `nil` for none.
    package let logs: String?
    /// Whether everything runs on the loopback interface, even if there could be namespaces.
    package let loopback: Bool

    /// - Throws: `EnduranceOptionError` with the option that is wrong, and what would be right.
    package init(
        hours: Double, devices: Int, seed: UInt64, mappings: [String] = [], troubles: [String] = [],
        json: String? = nil, root: String, logs: String? = nil, loopback: Bool = false
    ) throws {
        let seconds = hours * 3600
        guard seconds.isFinite, seconds >= TroubleSchedule.shortest, hours <= Self.longestHours else {
            throw EnduranceOptionError(
                "HOURS: \(hours) is not within \(Self.shortestHours) to \(Int(Self.longestHours)); every kind of trouble "
                    + "must have its turn")
        }
        guard (20...20_000).contains(devices) else {
            throw EnduranceOptionError("--devices: \(devices) is not within 20 to 20000")
        }
        let groups = try mappings.map { name in
            guard let group = Group(rawValue: name) else {
                throw EnduranceOptionError("--mapping: '\(name)' is none of connection, mux and direct")
            }
            return group
        }
        let kinds = try troubles.map { name in
            guard let kind = Trouble.Kind.scheduled.first(where: { $0.rawValue == name }) else {
                let names = Trouble.Kind.scheduled.map { "'\($0.rawValue)'" }
                throw EnduranceOptionError("--trouble: '\(name)' is none of \(names.joined(separator: ", "))")
            }
            return kind
        }
        self.troubles = kinds.isEmpty ? Trouble.Kind.scheduled : kinds
        self.seconds = seconds
        self.devices = devices
        self.seed = seed
        self.mappings = groups.isEmpty ? [.connection, .mux] : Group.allCases.filter(groups.contains)
        self.json = json
        self.root = root
        self.logs = logs
        self.loopback = loopback
    }

    /// A week. The troubles of a run stay in memory.
    private static let longestHours = 168.0
    /// ``TroubleSchedule/shortest``, rounded up.
    private static let shortestHours = (TroubleSchedule.shortest / 3.6).rounded(.up) / 1000

    /// The devices of each group. A tenth more is connected directly, so that there is something to
    /// compare with.
    var groups: GroupTable {
        let share = devices / mappings.count
        let sizes = mappings.map { ($0, share) }
        return GroupTable(mappings.contains(.direct) ? sizes : sizes + [(.direct, max(10, devices / 10))])
    }
}

/// An option that cannot be used.
package struct EnduranceOptionError: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
