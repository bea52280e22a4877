import MQTTCodec
import NIOCore

/// What one session would have to repeat on another uplink leg, and what waits for one: packets in flight,
/// subscriptions and topic aliases. The journal stands on the broker's side of the router: packets of the device go
/// through it after the router, packets of the broker before.
///
/// A session that has nothing to remember, and is not busy, uses no memory for it.
struct Journal: Sendable {
    /// What happens to a packet of the broker.
    struct Passage: Sendable {
        /// For the router and the device; `nil` if the packet goes no further.
        var frame: Frame?
        var step = Ledger.Step()
        /// How many filters the broker refuses that the bridge has asked for again.
        var refusedFilters = 0
    }

    let version: MQTTVersion
    let policy: HoldPolicy
    /// The limits that the device was told.
    let told: LegLimits
    /// Whether the broker is known to pass a message at QoS 2 on before it sends PUBREC.
    let isPassedOnAtOnce: Bool
    /// The Topic Alias Maximum of this leg.
    var aliasMaximum: UInt16
    var isOpen = true
    /// Whether the device has sent something that can't be repeated on another leg.
    private(set) var isForfeit = false
    // An array of no element or one works as a box that is copied on write and allocated on demand.
    var ledgers: [Ledger] = []
    /// Whether a ledger without an entry is kept for the next message.
    var isBusy = false
    /// The ledger that is kept.
    private var spareLedgers: [Ledger] = []
    var books: [SubscriptionBook] = []
    var aliases: [AliasBook] = []
    var births: [BirthMessage] = []

    /// - Parameters:
    ///   - retainedWill: The topic of the device's retained will, as the broker has it.
    ///   - isPassedOnAtOnce: Whether the broker is known to pass a message at QoS 2 on before it sends PUBREC.
    init(
        _ policy: HoldPolicy, version: MQTTVersion, told: LegLimits = LegLimits(), retainedWill: String? = nil,
        isPassedOnAtOnce: Bool = false
    ) {
        self.policy = policy
        self.version = version
        self.told = told
        self.isPassedOnAtOnce = isPassedOnAtOnce
        births = retainedWill.map { [BirthMessage(topic: $0, version, policy)] } ?? []
        aliasMaximum = told.topicAliasMaximum
    }

    var ledger: Ledger? { ledgers.first }

    /// Whether there is nothing to remember.
    var isEmpty: Bool {
        ledgers.isEmpty && books.isEmpty && aliases.isEmpty && births.first?.message == nil
    }

    var isInsidePacket: Bool { ledger?.isInsidePacket ?? false }

    /// What would be lost with the leg; `nil` if nothing would.
    var obstacle: HoldObstacle? {
        if isForfeit { return .lastPacket }
        if books.first?.isOverflown == true { return .subscriptions }
        if aliases.first?.isOverflown == true { return .aliases }
        return ledger?.isHoldable == false ? .sending : nil
    }

    func acceptsInput(isDeliveryBlocked: Bool = false) -> Bool {
        guard !ledgers.isEmpty else { return isOpen || !policy.budget.isFull }
        return ledgers[0].acceptsInput(isDeliveryBlocked: isDeliveryBlocked)
    }

    /// The same as ``acceptsInput(isDeliveryBlocked:)``. It is `mutating` because an element of an array is copied for
    /// any other call.
    mutating func takesInput(isDeliveryBlocked: Bool) -> Bool {
        guard !ledgers.isEmpty else { return isOpen || !policy.budget.isFull }
        return ledgers[0].takesInput(isDeliveryBlocked: isDeliveryBlocked)
    }

    /// Whether the session has not used up the room that one may take.
    var hasOwnRoom: Bool { ledger?.hasOwnRoom ?? true }

    /// Whether the broker, if it has lost the session, has also lost messages that are not kept here any more.
    var hasGivenUpCopies: Bool { ledger?.hasGivenUpCopies ?? false }

    /// Whether the device has not finished all messages at QoS 1 and 2 that it was sent.
    var hasOpenDeliveries: Bool { ledger?.down.values.contains(where: \.isOpen) ?? false }

    /// From now on the session ends with its leg.
    mutating func forfeit() {
        isForfeit = true
    }

    /// What waits goes out no more, so that the device gets no receipt for it.
    mutating func dropReceipts() {
        if !ledgers.isEmpty { ledgers[0].dropReceipts() }
    }

    /// Whether the message that the receipt is for still waits. See ``Ledger/joins(_:)``.
    mutating func joins(_ receipt: Receipt) -> Bool {
        ledgers.isEmpty ? false : ledgers[0].joins(receipt)
    }

    /// Whether no packet of the bridge's own may have that identifier now.
    func isUsed(_ packetID: UInt16) -> Bool {
        ledger.map { $0.own.contains(packetID) || $0.up.contains(packetID) } ?? false
    }

    mutating func write(_ change: (inout Ledger) -> Void) {
        if ledgers.isEmpty { beginLedger() }
        change(&ledgers[0])
        guard isOpen, ledgers[0].isUnused() else { return }
        if isBusy { swap(&ledgers, &spareLedgers) } else { ledgers = [] }
    }

    private mutating func beginLedger() {
        swap(&ledgers, &spareLedgers)
        if ledgers.isEmpty || !ledgers[0].begin(isOpen: isOpen) {
            ledgers = [Ledger(policy, version: version, isPassedOnAtOnce: isPassedOnAtOnce, isOpen: isOpen)]
        }
        ledgers[0].buffer = policy.configuration.buffer - (births.first?.cost ?? 0)
    }

    /// Gives back the memory that is kept for the next message.
    mutating func rest() {
        isBusy = false
        spareLedgers = []
    }

    /// The device publishes a retained message. If it goes to the topic of its will, it takes a part of the room.
    mutating func noteRetained(_ change: (inout BirthMessage) -> Void) {
        guard !births.isEmpty else { return }
        change(&births[0])
        guard !ledgers.isEmpty else { return }
        ledgers[0].buffer = policy.configuration.buffer - births[0].cost
        ledgers[0].makeRoom()
    }
}

extension Journal {
    /// Why a session ends if ``hasGivenUpCopies`` is set.
    static let copiesGone =
        "the broker has lost the session, and with it messages at QoS 2 that there was no room to keep (uplink.hold_buffer)"
}

extension Journal.Passage {
    /// Whether nothing is to be done besides passing the packet on.
    var isAlone: Bool { refusedFilters == 0 && step.isEmpty }

    var notes: [SessionAction] { refusedFilters == 0 ? [] : [.note(.subscriptionsLost(refusedFilters))] }
}
