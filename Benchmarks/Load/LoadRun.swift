import Glibc
import MQTTCodec
import NIOCore
import QUICTransport

/// One load run, from the first connection to the report. Confined to its event loop.
///
/// ```
///   waiting ── receiver and publisher ready ──▶ connecting ── all devices ready ──▶ settling
///      ──▶ publishing ── the time is over ──▶ draining ── everything arrived, or the time is over ──▶ ended
///   any ── fail() ──▶ ended
/// ```
final class LoadRun {
    enum Phase {
        case waiting
        /// - Parameter next: The number of the next device to connect.
        case connecting(since: Int64, next: Int)
        case settling(until: Int64)
        case publishing
        case draining(until: Int64)
        case ended
    }

    let options: LoadOptions
    let eventLoop: any EventLoop
    let topics: LoadTopics
    let deviceConnector: Connector
    let receiverConnector: Connector
    /// Tells this run's messages from those of others.
    let identifier = UInt64.random(in: 1...UInt64.max)
    var tally = Tally()
    private(set) var devices: [Device] = []
    private(set) lazy var receiver = Receiver(run: self)
    private(set) lazy var publisher = Publisher(run: self)
    let promise: EventLoopPromise<LoadReport>
    /// Called when the devices begin to publish, or to idle.
    let onPublishing: @Sendable () -> Void

    var phase = Phase.waiting
    /// The times of publishing, and of what the figures cover, in nanoseconds. Empty before the publishing begins.
    var publishing: Range<Int64> = 0..<0
    var window: Range<Int64> = 0..<0
    var schedule: PublishSchedule?
    /// When the publisher's next message is due; `nil` if it sends none.
    var nextPublish: Int64?
    let use: ProcessUseLog
    private(set) lazy var tick = Timer(on: eventLoop)
    private lazy var housekeeping = Timer(on: eventLoop)
    private var checkedDevices = 0
    /// How many devices are connected and subscribed.
    private(set) var readyDevices = 0
    private var notes = 0

    init(_ options: LoadOptions, on eventLoop: any EventLoop, onPublishing: @escaping @Sendable () -> Void) throws {
        self.options = options
        self.eventLoop = eventLoop
        self.onPublishing = onPublishing
        topics = try LoadTopics(options)
        let whereabouts = NetworkPlace.Whereabouts()
        let home = try NetworkPlace(nil, whereabouts)
        let output = OutputBuffer()
        func connector(_ endpoint: LoadEndpoint, _ namespace: String?) throws -> Connector {
            let place = try namespace.map { try NetworkPlace($0, whereabouts) } ?? home
            return try Connector(
                to: endpoint, from: place, on: eventLoop, version: options.version, output: output)
        }
        deviceConnector = try connector(options.deviceEndpoint, options.deviceNamespace)
        receiverConnector = try connector(options.receiverEndpoint, options.receiverNamespace)
        use = ProcessUseLog(options.processes)
        promise = eventLoop.makePromise()
        devices = (0..<UInt32(options.devices)).map { Device(number: $0, run: self) }
    }

    var hasEnded: Bool {
        if case .ended = phase { true } else { false }
    }

    /// The time in nanoseconds that recovery is counted from.
    var mark: Int64? {
        guard let mark = options.mark, !publishing.isEmpty else { return nil }
        return publishing.lowerBound + Clock.nanoseconds(mark)
    }

    /// How many messages a device keeps under way; `nil` unless devices publish as fast as they can now.
    var saturationWindow: Int? {
        guard case .publishing = phase, case .saturation(let window) = options.traffic else { return nil }
        return window
    }

    /// Whether the broker's side sends anything.
    private var needsPublisher: Bool {
        if case .fanOut = options.traffic { true } else { options.commandRate > 0 }
    }

    // MARK: Beginning

    func start() {
        use.begin()
        receiver.connect()
        tick.arm(in: .seconds(30)) { [weak self] in self?.fail(.receiver("no answer in 30 s")) }
    }

    func receiverReady() {
        guard case .waiting = phase else { return }
        if needsPublisher { publisher.connect() } else { publisherReady() }
    }

    func publisherReady() {
        guard case .waiting = phase else { return }
        phase = .connecting(since: Clock.now, next: 0)
        keepHouse()
        ticked()
    }

    func becameReady() {
        readyDevices += 1
    }

    func becameUnready() {
        readyDevices -= 1
    }

    // MARK: Timers

    /// Has `ticked()` called at that time, in nanoseconds.
    func tick(at time: Int64) {
        tick.arm(at: Clock.deadline(time)) { [weak self] in self?.ticked() }
    }

    /// Looks at a twentieth of the devices every 50 ms, so at each device once per second.
    private func keepHouse() {
        guard !hasEnded else { return }
        housekeeping.arm(in: .milliseconds(50)) { [weak self] in self?.keepHouse() }
        let now = Clock.now
        for _ in 0..<(devices.count + 19) / 20 {
            checkedDevices = (checkedDevices + 1) % devices.count
            devices[checkedDevices].keepAlive(at: now)
        }
    }

    // MARK: Ending

    func fail(_ error: LoadError) {
        guard !hasEnded else { return }
        end()
        promise.fail(error)
    }

    func end() {
        phase = .ended
        tick.cancel()
        housekeeping.cancel()
        for device in devices { device.end() }
        receiver.end()
        publisher.end()
    }

    /// Writes the first few faults that the broker made to standard error.
    func note(_ text: String) {
        notes += 1
        guard notes <= 5 else { return }
        let line = "bench load: \(text)\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}
