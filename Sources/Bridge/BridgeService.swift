import BridgeCore
import Logging
import NIOCore
import NIOPosix
import QUICTransport
import ServiceLifecycle

/// The command `run` as one service: listens, carries devices, and ends their sessions in order when it is stopped.
package struct BridgeService: Service {
    let shared: SharedState
    private let signals: ProgramSignals
    private let sockets: PassedSockets
    private let watch: BridgeMonitor
    /// What the admin endpoint sees and does of the bridge, before it runs, too.
    package var monitor: any MonitoredService { watch }
    /// The addresses that devices can connect to, with the ports that the system chose.
    package var listening: [String] { watch.state.running.listen }

    /// Reads certificates and checks routes. Throws ``UnusableFile`` for a file, the error in the routes, or
    /// ``TooFewFiles``.
    ///
    /// - Parameters:
    ///   - sockets: Sockets that are used instead of opening those addresses of `listen`.
    ///   - probing: How often better ways to the broker than the one in use are tried.
    ///   - bundles: Reads bundles; without it the mode `bundles` is refused.
    package init(
        configuration: BridgeConfiguration, signals: ProgramSignals, sockets: PassedSockets = .none,
        probing: WayChoice.Probing = .init(), bundles: BundleOpener? = nil, logger: Logger
    ) throws {
        try OpenFiles.check(threads: configuration.threads)
        self.shared = try CredentialFiles(configuration).explaining {
            try SharedState(configuration: configuration, probing: probing, bundles: bundles, logger: logger)
        }
        self.signals = signals
        self.sockets = sockets
        self.watch = BridgeMonitor(shared)
    }

    /// Reads every file that a start reads, and tests whether the addresses of `listen` and `admin.listen` are available;
    /// changes nothing.
    /// Throws ``UnusableFile`` or ``ListenError``.
    package static func check(_ configuration: BridgeConfiguration) throws -> CheckResult {
        let files = CredentialFiles(configuration)
        try files.explaining {
            try SharedState.check(configuration)
            // A start goes on without the file, because it only saves time.
            if let path = configuration.uplink.ticketFile { try TicketFile.check(path) }
        }
        try OpenFiles.check(threads: configuration.threads)
        return CheckResult(
            warnings: files.warnings + files.usersWarnings
                + (try ListenProbe.warnings(configuration.listen + configuration.admin.givenAddress, .tcp)),
            notes: files.notes)
    }

    /// Warnings about CA certificates of bundles that have expired, or are about to.
    package static func warnings(aboutAuthorities paths: [String], key: String) -> [String] {
        CredentialFiles(authorities: paths, key: key).warnings
    }

    /// Runs until graceful shutdown or cancellation. Throws ``ListenError``.
    package func run() async throws {
        let configuration = shared.configuration
        try await ServiceRun.onEventLoops(configuration.threads, gathers: configuration.gatherDelay > .zero) {
            try await serve(on: $0)
        }
    }

    private func serve(on group: MultiThreadedEventLoopGroup) async throws {
        var hosts: [ObjectIdentifier: NIOLoopBound<SessionHost>] = [:]
        for loop in group.makeIterator() {
            let shared = shared
            hosts[ObjectIdentifier(loop)] = try await loop.submit {
                NIOLoopBound(SessionHost(shared: shared, eventLoop: loop), eventLoop: loop)
            }.get()
        }
        shared.loops.withLock { $0 = Array(hosts.values) }
        // A reload may have come between.
        for host in hosts.values { host.eventLoop.execute { [shared] in host.value.adopt(shared.generation) } }
        defer { shared.loops.withLock { $0 = [] } }
        let listener = DeviceListener(shared: shared, group: group, hosts: hosts)
        var channels: [any Channel] = []
        for (index, address) in shared.configuration.listen.enumerated() {
            channels.append(try await listener.bind(address, passed: sockets.descriptor(for: index)))
        }
        // This comes after listening, because a bridge that cannot listen must not connect to the broker.
        for host in hosts.values { host.eventLoop.execute { host.value.start() } }
        let state = watch.state
        state.began(Array(hosts.values), listening: channels.compactMap { $0.localAddress?.hostAndPort }) {
            [channels, hosts] _ in
            await Self.stopTaking(channels, hosts.values)
        }
        defer { state.ended() }
        CredentialFiles(shared.configuration).logWarnings(shared.logger)
        let tickets = Task { [shared] in await TicketStore.keepSaved { shared.tickets } }
        let users = Task { [shared] in await UsersWatch(shared).run() }
        let bundles = Task { [shared] in await BundleWatch(shared).run() }
        let network = followNetwork(hosts, group)
        let report = StatisticsReport(logger: shared.logger) { [hosts] in await Self.statistics(hosts.values).fields }
        let run = ServiceRun(
            logger: shared.logger, report: report,
            shutdownTimeout: { [shared] in shared.configuration.limits.shutdownTimeout })
        await run.untilStopped(signals, draining: state) {
            state.ending()
            users.cancel()
            bundles.cancel()
            await network?.stop()
            tickets.cancel()
            for channel in channels { try? await channel.close() }
            await endSessions(hosts, group)
        }
        _ = await FileThread.run { [shared] in shared.tickets.save() }
        shared.logger.info("stopped")
    }

    /// Moves connections when this machine's addresses or routes change.
    private func followNetwork(
        _ hosts: [ObjectIdentifier: NIOLoopBound<SessionHost>], _ group: MultiThreadedEventLoopGroup
    ) -> NetworkWatch? {
        let logger = shared.logger
        return NetworkWatch(logger: logger) { changes in
            let moves = group.makeIterator().compactMap { loop in
                hosts[ObjectIdentifier(loop)].map { host in loop.flatSubmit { host.value.networkChanged() } }
            }
            EventLoopFuture.reduce(0, moves, on: group.next(), +).whenSuccess { moved in
                logger.info(
                    "the network of this machine has changed",
                    metadata: [
                        "changes": "\(changes.joined(separator: ", "))", "connections_moved": "\(moved)",
                        "leg": "uplink",
                    ])
            }
        }
    }

    /// Closes the listeners, so that load balancers and clients go elsewhere at once, and the connections of those who
    /// have not said who they are yet.
    private static func stopTaking(
        _ listeners: [any Channel], _ hosts: some Sequence<NIOLoopBound<SessionHost>>
    ) async {
        for listener in listeners { try? await listener.close() }
        for host in hosts { try? await host.eventLoop.submit { host.value.stopTaking() }.get() }
    }

    private static func statistics(_ hosts: some Sequence<NIOLoopBound<SessionHost>>) async -> BridgeStatistics {
        var sum = BridgeStatistics()
        for host in hosts {
            if let part = try? await host.eventLoop.submit({ host.value.currentStatistics }).get() { sum = sum + part }
        }
        return sum
    }

    private func endSessions(
        _ hosts: [ObjectIdentifier: NIOLoopBound<SessionHost>], _ group: MultiThreadedEventLoopGroup
    ) async {
        let timeout = TimeAmount(shared.configuration.limits.shutdownTimeout)
        var ends: [EventLoopFuture<Void>] = []
        for loop in group.makeIterator() {
            guard let host = hosts[ObjectIdentifier(loop)] else { continue }
            let promise = loop.makePromise(of: Void.self)
            loop.execute {
                Timer.once(in: timeout, on: loop) { promise.succeed() }
                host.value.shutDown().whenComplete { _ in promise.succeed() }
            }
            ends.append(promise.futureResult.map { host.value.close() })
        }
        for end in ends { try? await end.get() }
    }
}
