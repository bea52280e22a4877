/// All settings of `run`, as plain values.
///
/// The loader (`BridgeConfig`) makes one from files and the environment, and the runtime (`Bridge`) does not know where
/// it came from. The loader has checked every limit, so that the runtime can use a value as it is.
package struct BridgeConfiguration: Sendable, Equatable {
    /// The addresses to which devices connect, in the order of the file. This is never empty.
    package var listen: [ListenAddress]
    package var uplink: UplinkConfiguration
    /// The platform whose broker this is, if it is one whose rules are known: the key `profile`.
    package var platform: Platform?
    package var auth: AuthConfiguration
    /// The routes in the order of the file: the first route that matches a topic is used. Without any, every packet
    /// passes unchanged.
    package var routes: [Route]
    /// What happens to a topic or filter that no route matches, if there are routes.
    package var unrouted: UnroutedPolicy
    package var limits: LimitsConfiguration
    package var log: LogConfiguration
    package var admin: AdminConfiguration
    /// The number of threads with an event loop. Both legs of a device are on the same one.
    package var threads: Int
    /// How long a busy event loop waits for more before it handles what has come: see ``TurnGathering``. Zero to handle
    /// everything at once.
    package var gatherDelay: Duration

    package init(
        listen: [ListenAddress] = [ListenAddress(host: "127.0.0.1", port: 1883)],
        uplink: UplinkConfiguration,
        platform: Platform? = nil,
        auth: AuthConfiguration = AuthConfiguration(),
        routes: [Route] = [],
        unrouted: UnroutedPolicy = .reject,
        limits: LimitsConfiguration = LimitsConfiguration(),
        log: LogConfiguration = LogConfiguration(),
        admin: AdminConfiguration = AdminConfiguration(),
        threads: Int = 1,
        gatherDelay: Duration = .zero
    ) {
        self.listen = listen
        self.uplink = uplink
        self.platform = platform
        self.auth = auth
        self.routes = routes
        self.unrouted = unrouted
        self.limits = limits
        self.log = log
        self.admin = admin
        self.threads = threads
        self.gatherDelay = gatherDelay
    }
}
