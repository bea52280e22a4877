/// What one SUBSCRIBE or UNSUBSCRIBE becomes: what goes to the broker, and which of the broker's codes belong to which
/// of the device's filters.
struct FilterPlan<Item> {
    private(set) var remote: [Item] = []
    private(set) var entries: [PendingFilters.Entry] = []
    /// Whether the broker has to be sent another packet than the device's.
    private(set) var isChanged = false
    /// What stands once the packet is sent.
    var standing: StandingFilters

    init(standing: StandingFilters) {
        self.standing = standing
    }

    mutating func pass(_ item: Item) {
        remote.append(item)
        entries.append(.remote(1))
    }

    /// - Parameter limit: The highest code that the device may be given for it; `nil` if that is the broker's.
    mutating func replace(with items: [Item], limit: UInt8? = nil) {
        remote += items
        let count = UInt16(clamping: items.count)
        entries.append(limit.map { .limited(count, to: $0) } ?? .remote(count))
        isChanged = true
    }

    mutating func answer(_ code: UInt8) {
        entries.append(.local(code))
        isChanged = true
    }

    /// Whether the device's codes have to be put together, because the broker's are not the same, one for one.
    var needsMerge: Bool { entries.contains { $0 != .remote(1) } }

    /// The device's codes if nothing goes to the broker.
    var localCodes: [UInt8] {
        entries.compactMap { if case .local(let code) = $0 { code } else { nil } }
    }
}
