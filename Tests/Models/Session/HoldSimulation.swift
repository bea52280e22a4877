import BridgeCore
import MQTTCodec
import NIOCore
import TestSupport

/// A device, a session and a broker, with a link that is cut, falls silent and comes back as a seed or a fuzzer decides.
package struct HoldSimulation {
    package struct Setting: Sendable, CustomStringConvertible {
        package var version = MQTTVersion.v5_0
        package var isStream = false
        package var isClean = true
        /// The broker keeps what it is asked to keep.
        package var isPersistent = true
        package var isRouted = false
        package var buffer = 1_048_576
        package var hasLongMessages = false
        package var narrows = false
        /// The broker passes a message at QoS 2 on when it is released.
        package var isLate = false

        package var description: String {
            "\(version)\(isStream ? " stream" : "")\(isClean ? " clean" : "")\(isPersistent ? "" : " forgetful")"
                + "\(isRouted ? " routed" : "")\(buffer < 10_000 ? " small" : "")\(hasLongMessages ? " long" : "")"
                + "\(narrows ? " narrow" : "")\(isLate ? " late" : "")"
        }

        package init(
            version: MQTTVersion = .v5_0, isStream: Bool = false, isClean: Bool = true, isPersistent: Bool = true,
            isRouted: Bool = false, buffer: Int = 1_048_576, hasLongMessages: Bool = false, narrows: Bool = false,
            isLate: Bool = false
        ) {
            self.version = version
            self.isStream = isStream
            self.isClean = isClean
            self.isPersistent = isPersistent
            self.isRouted = isRouted
            self.buffer = buffer
            self.hasLongMessages = hasLongMessages
            self.narrows = narrows
            self.isLate = isLate
        }

        /// Nothing is ever forgotten.
        package var keepsAll: Bool { !isStream && isPersistent && (version == .v5_0 || !isClean) && version != .v3_1 }
    }

    private enum Leg { case none, asked, open, silent }

    package let setting: Setting
    package let budget = HoldBudget(limit: 100_000_000)
    private var random: Choices
    package var session: any DeviceSession
    package private(set) var device: SimulatedDevice
    package private(set) var broker: SimulatedBroker
    package private(set) var end: SessionEnd?
    package private(set) var complaints: [String] = []
    package private(set) var cuts = 0
    private var leg = Leg.none
    private var deviceDecoder: FrameDecoder
    private var uplinkDecoder: FrameDecoder
    private var toBroker = ByteBuffer()
    private var isRetrying = false
    private var isHeld = false
    package private(set) var delivered: [SimulatedBroker.Message] = []

    package init(_ setting: Setting, choices: Choices) throws {
        self.setting = setting
        random = choices
        let configuration = HoldConfiguration(time: .seconds(300), buffer: setting.buffer)
        let routes = setting.isRouted ? [Route(local: "#", remote: "x/#")] : []
        let context = SessionContext(
            routes: try RoutingTable(routes: routes, unrouted: .reject),
            identities: try IdentityMapper(AuthConfiguration()), maximumPacketSize: 100_000, connectWithin: .seconds(5),
            connectTimeout: .seconds(5), listener: "lan", makeClientID: { "made" },
            hold: HoldPolicy(configuration, budget: budget))
        session =
            setting.isStream
            ? DataStreamSession(context: DataStreamContext(device: context, allowsAnonymous: true))
            : Session(context: context)
        device = SimulatedDevice(setting.version, prefix: setting.isRouted ? "x/" : "")
        broker = SimulatedBroker(setting.version, isStream: setting.isStream)
        broker.isPersistent = setting.isPersistent
        broker.publishesAtRelease = setting.isLate
        let threshold = setting.hasLongMessages ? 60 : 100_000
        deviceDecoder = FrameDecoder(
            maximumPacketSize: 100_000, streamingThreshold: threshold, maximumBufferedSize: 100_000)
        uplinkDecoder = Self.decoder(setting.version)
    }

    // MARK: The course of events

    /// - Parameter steps: At most so many; no more than there are choices.
    package mutating func run(steps: Int) throws {
        try begin()
        for _ in 0..<steps where end == nil && !random.isExhausted { try step() }
        try settle()
    }

    private mutating func begin() throws {
        if setting.version == .v5_0, !setting.isStream {
            broker.aliasMaximum = setting.narrows ? 3 : 0
            broker.receiveMaximum = setting.narrows ? 10 : .max
        }
        perform(session.started())
        var connect = Connect(version: setting.version, cleanStart: setting.isClean, keepAlive: 60, clientID: "dev")
        if setting.version == .v5_0, !setting.isClean { connect.properties.sessionExpiryInterval = 1_000 }
        try device.connect(connect)
        try pumpDevice(all: true)
        try openLeg()
        while device.connack == nil { try pumpAll() }
        try device.subscribe("down")
    }

    private mutating func step() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<14:
            let length = setting.hasLongMessages && random.chance(0.3) ? 200 : Int.random(in: 0..<20, using: &random)
            let qos = QoS(rawValue: UInt8.random(in: 0...2, using: &random)) ?? .atMostOnce
            try device.publish(qos, length: length, using: &random)
        case 14..<24: try deliver()
        case 24..<25: try device.ping()
        case 25..<27: try device.subscribe("f\(Int.random(in: 0..<5, using: &random))")
        case 27..<28: try device.unsubscribe("f\(Int.random(in: 0..<5, using: &random))")
        case 28..<40: try device.answerNext()
        case 40..<52: try broker.acknowledgeNext()
        case 52..<66: try pumpDevice(all: false)
        case 66..<80: try pumpUp(all: false)
        case 80..<92: try pumpDown(all: false)
        case 92..<95: try fail()
        default: try recover()
        }
    }

    private mutating func deliver() throws {
        guard broker.isSubscribed, broker.hasRoom else { return }
        let qos = QoS(rawValue: UInt8.random(in: 0...2, using: &random)) ?? .atMostOnce
        let message = SimulatedBroker.Message(number: delivered.count, qos: qos)
        delivered.append(message)
        try broker.deliver(message)
    }

    private mutating func fail() throws {
        switch leg {
        case .open where random.chance(0.4):
            leg = .silent
            perform(session.uplinkSilent())
        case .open, .silent:
            // Some of what was on its way arrives before the end, in either direction.
            if leg == .open, random.chance(0.7) { try pumpUp(all: false) }
            if leg == .open, random.chance(0.7) { try pumpDown(all: false) }
            guard leg != .none, leg != .asked else { return }
            closeLeg()
            perform(session.uplinkLost(.network(description: "cut")))
        case .asked where random.chance(0.3):
            leg = .none
            perform(session.uplinkUnreachable("nobody is there"))
        case .none, .asked: break
        }
        try pumpDevice(all: false)
    }

    private mutating func recover() throws {
        switch leg {
        case .asked: try openLeg()
        case .silent:
            leg = .open
            perform(session.uplinkAnswered(after: .seconds(random.chance(0.2) ? 100 : 10)))
        case .none where isRetrying:
            isRetrying = false
            perform(session.timedOut(.retry))
        case .none, .open: break
        }
        try pumpDevice(all: false)
    }

    private mutating func openLeg() throws {
        guard leg == .asked else { return complain("no leg is asked for") }
        leg = .open
        cuts += 1
        if setting.narrows, cuts > 1, !setting.isStream {
            broker.receiveMaximum = .random(in: 1...10, using: &random)
            broker.aliasMaximum = .random(in: 0...3, using: &random)
        }
        broker.legOpened()
        perform(session.uplinkReady(setting.isStream ? GatewayLimits() : nil))
    }

    private mutating func closeLeg() {
        leg = .none
        toBroker = ByteBuffer()
        uplinkDecoder = Self.decoder(setting.version)
        broker.legClosed()
    }

    /// Everything comes to its end.
    private mutating func settle() throws {
        for _ in 0..<400 where end == nil {
            try recover()
            try pumpAll()
            if leg == .open, device.isIdle, broker.isIdle, toBroker.readableBytes == 0 { break }
        }
    }

    package mutating func leave() throws {
        try device.disconnect()
        try pumpAll()
        perform(session.uplinkEnded())
    }

    // MARK: The pipes

    private mutating func pumpAll() throws {
        for _ in 0..<4 {
            try device.answerNext()
            try pumpDevice(all: true)
            try pumpUp(all: true)
            try broker.acknowledgeNext()
            try pumpDown(all: true)
        }
    }

    private mutating func take(_ buffer: inout ByteBuffer, all: Bool) -> ByteBuffer {
        let count = buffer.readableBytes
        let wanted = all ? count : min(count, Int.random(in: 0...120, using: &random))
        defer { buffer.discardReadBytes() }
        return buffer.readSlice(length: wanted) ?? ByteBuffer()
    }

    private mutating func pumpDevice(all: Bool) throws {
        var output = device.output
        let bytes = take(&output, all: all)
        device.output = output
        if bytes.readableBytes > 0 { deviceDecoder.append(bytes) }
        while end == nil, session.acceptsDeviceInput, let element = try deviceDecoder.next() {
            perform(session.deviceSent(element))
        }
    }

    private mutating func pumpUp(all: Bool) throws {
        guard leg == .open else { return }
        var pipe = toBroker
        let bytes = take(&pipe, all: all)
        toBroker = pipe
        try broker.receive(bytes)
    }

    private mutating func pumpDown(all: Bool) throws {
        guard leg == .open else { return }
        var pipe = broker.output
        let bytes = take(&pipe, all: all)
        broker.output = pipe
        if bytes.readableBytes > 0 { uplinkDecoder.append(bytes) }
        while end == nil, leg == .open, session.acceptsUplinkInput, let element = try uplinkDecoder.next() {
            perform(session.uplinkSent(element))
        }
        try pumpDevice(all: false)
    }

    private mutating func perform(_ actions: [SessionAction]) {
        for action in actions { perform(action) }
    }

    private mutating func perform(_ action: SessionAction) {
        switch action {
        case .identified(let identity):
            deviceDecoder.version = identity.version
        case .openUplink, .openDataStream:
            if leg != .none { complain("a leg is asked for while there is one") }
            leg = .asked
        case .sendToUplink(let bytes):
            if leg != .open { complain("sent on a leg that is \(leg)") }
            toBroker.writeImmutableBuffer(bytes)
        case .closeUplink:
            if leg == .none { complain("a leg is closed that is not there") }
            closeLeg()
        case .sendToDevice(let bytes):
            do { try device.receive(bytes) } catch { complain("the device was sent no MQTT: \(error)") }
        case .start(.retry, _):
            isRetrying = true
        case .note(.held):
            if isHeld { complain("held twice") }
            isHeld = true
        case .note(.resumed):
            if !isHeld { complain("returned from nowhere") }
            isHeld = false
        case .ended(let why):
            end = why
        case .takeClientID:
            perform(session.clientIDTaken(.none))
        case .finishUplink, .closeDevice, .start, .stop, .connected, .authenticate, .claim, .linger, .note:
            break
        }
    }

    private mutating func complain(_ what: String) { complaints.append(what) }
}
