import BenchmarkLoad
import NIOCore
import QUICTransport

/// All devices, and the clients at the broker. Confined to one event loop.
final class Population {
    /// Where everything is that devices and clients connect to.
    struct Places: Sendable {
        struct Place: Sendable {
            let namespace: String?
            let host: String
            let port: Int
        }

        let groups: [Group: Place]
        let broker: Place
    }

    let accounts: Accounts
    private let timer: Timer
    private let devices: [Device]
    private let observer: BrokerClient
    private let controller: BrokerClient
    private let brokerDialer: Dialer
    private let reader = RetainedReader()
    private var random: RandomNumbers
    private let slowness: Double
    private var isPublishing = true
    private var actsAt: [Group: Double] = [:]
    private var commandsFrom = 0
    private var commandDebt = 0.0
    private var lastTick = 0.0
    private var nextCheck = 0.0

    /// Seconds between two acts of a hundred devices.
    private static let actInterval = 8.0
    /// Seconds between two commands to a device.
    private static let commandInterval = 10.0
    /// New connections per second at the beginning.
    private static let connectRate = 60.0

    init(_ groups: GroupTable, _ places: Places, seed: UInt64, slowness: Double, on eventLoop: any EventLoop) throws {
        timer = Timer(on: eventLoop)
        self.slowness = slowness
        random = RandomNumbers(seed: seed &+ 1)
        let accounts = Accounts(groups)
        self.accounts = accounts
        let whereabouts = NetworkPlace.Whereabouts()
        let home = try NetworkPlace(nil, whereabouts)
        func dialer(_ place: Places.Place) throws -> Dialer {
            let network = try place.namespace.map { try NetworkPlace($0, whereabouts) } ?? home
            return Dialer(try SocketAddress(ipAddress: place.host, port: place.port), from: network, on: eventLoop)
        }
        brokerDialer = try dialer(places.broker)
        observer = BrokerClient(
            "observer", filters: ["e/+/+", "r/+", "s/+"], accounts: accounts, dialer: brokerDialer)
        controller = BrokerClient("controller", filters: [], accounts: accounts, dialer: brokerDialer)
        var devices: [Device] = []
        for (group, _) in groups.sizes {
            guard let place = places.groups[group] else { continue }
            let dialer = try dialer(place)
            for (index, number) in groups.numbers(group).enumerated() {
                let time = 1 + Double(index) / Self.connectRate
                devices.append(Device(number: number, accounts: accounts, dialer: dialer, connectsAt: time))
            }
        }
        self.devices = devices
    }

    func start() {
        tick(at: accounts.now)
        timer.arm(in: .milliseconds(50)) { [weak self] in self?.start() }
    }

    private func tick(at now: Double) {
        accounts.troubles.tick(at: now)
        observer.tick(at: now)
        controller.tick(at: now)
        guard observer.isReady || now > 5 else { return }
        for device in devices { device.tick(at: now, isPublishing: isPublishing) }
        if isPublishing, now > TroubleSchedule.warmUp {
            command(at: now)
            for (group, _) in accounts.groups.sizes { act(group, at: now) }
        }
        lastTick = now
        guard now >= nextCheck else { return }
        nextCheck = now + 5
        accounts.lives.check(at: now, accounts.troubles)
        accounts.messages.check(at: now, accounts.troubles)
    }

    private func command(at now: Double) {
        commandDebt += (now - lastTick) * Double(devices.count) / Self.commandInterval
        while commandDebt >= 1 {
            commandDebt -= 1
            commandsFrom = (commandsFrom + 1) % devices.count
            let device = devices[commandsFrom]
            guard device.isSubscribed else { continue }
            controller.command(device.number, Bool.random(using: &random) ? .down1 : .down2, length: 100)
        }
    }

    private func act(_ group: Group, at now: Double) {
        let numbers = accounts.groups.numbers(group)
        guard !numbers.isEmpty, now >= actsAt[group, default: 0] else { return }
        actsAt[group] = now + Self.actInterval * 100 / Double(numbers.count)
        let device = devices[Int.random(in: numbers, using: &random)]
        guard device.isIdle else { return }
        let act = Act.random(slowness: slowness, using: &random)
        device.perform(act, at: now)
        guard case .readSlowly = act, device.isSubscribed else { return }
        // More than the bridge keeps for a device, so that the broker has to wait.
        for index in 0..<40 { controller.command(device.number, index % 2 == 0 ? .down1 : .down2, length: 10_000) }
    }

    // MARK: The end

    /// From now on nothing new is sent; what is under way comes to rest.
    func stopPublishing() {
        isPublishing = false
    }

    /// Whether all devices are back, and nothing is under way.
    var isAtRest: Bool {
        devices.allSatisfy(\.isOnline) && accounts.messages.unsettled == 0 && controller.pending == 0
    }

    func readRetained() {
        reader.start(brokerDialer)
    }

    /// Judges what is left. To be called some seconds after `readRetained`.
    func close(at now: Double) {
        for device in devices where !device.isOnline { accounts.fault(.missing, device: device.number, at: now) }
        if reader.hasAnswer {
            for device in devices { checkRetained(device, at: now) }
        } else {
            accounts.fault(.retainedWrong, "all", at: now, "the broker does not tell its retained messages")
        }
        accounts.lives.close(at: now, accounts.troubles)
        accounts.messages.close(at: now, accounts.troubles)
    }

    private func checkRetained(_ device: Device, at now: Double) {
        let value = StreamID(device: device.number, purpose: .retained)
        if let right = accounts.messages.lastValues(value) {
            let found = reader.messages[value]?.sequence
            if !(found.map(right.contains) ?? false) {
                accounts.fault(
                    .retainedWrong, device: device.number, at: now,
                    "its value is \(found.map { "number \($0)" } ?? "missing"), \(right.lowerBound) was acknowledged")
            }
        }
        guard device.isOnline else { return }
        let state = reader.messages[StreamID(device: device.number, purpose: .online)]
        if state?.stream.purpose != .online || state?.sequence != device.life {
            let found = state.map { "\($0.stream.purpose.name) of connection \($0.sequence)" } ?? "missing"
            accounts.fault(
                .retainedWrong, device: device.number, at: now,
                "its state is \(found), and the device is online with connection \(device.life)")
        }
    }

    /// How many devices of a group are online.
    func online(_ group: Group) -> Int {
        accounts.groups.numbers(group).count { devices[$0].isOnline }
    }
}
