/// What one SUBSCRIBE or UNSUBSCRIBE becomes: what goes to the broker, and which of its codes belong to which filter of
/// the device.
struct FilterPlan<Item> {
    private(set) var remote: [Item] = []
    private(set) var entries: [PendingFilters.Entry] = []
    /// Whether the packet can't go on as the bytes that came in.
    private(set) var isChanged = false

    mutating func pass(_ item: Item) {
        remote.append(item)
        entries.append(.remote(1))
    }

    mutating func replace(with items: [Item]) {
        remote += items
        entries.append(.remote(UInt16(clamping: items.count)))
        isChanged = true
    }

    mutating func answer(_ code: UInt8) {
        entries.append(.local(code))
        isChanged = true
    }

    /// Whether the broker's codes are not the device's, one for one.
    var needsMerge: Bool { entries.contains { $0 != .remote(1) } }

    /// The answer where nothing goes to the broker.
    var localCodes: [UInt8] {
        entries.compactMap { if case .local(let code) = $0 { code } else { nil } }
    }
}
