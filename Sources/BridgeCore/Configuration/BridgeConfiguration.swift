/// Everything an operator decides, as plain values.
///
/// The loader (`BridgeConfig`) makes one from files and the environment; the runtime (`Bridge`) knows nothing of where
/// it came from. Every limit below is already checked: a value of this type is usable as it is.
package struct BridgeConfiguration: Sendable, Equatable {
    /// Where devices connect, in the order of the file. Never empty.
    package var listen: [ListenAddress]
    package var uplink: UplinkConfiguration
    package var auth: AuthConfiguration
    /// In the order of the file: the first route that matches a topic wins. Empty means every packet passes unchanged.
    package var routes: [Route]
    /// What becomes of a topic or filter that no route matches, where there are routes.
    package var unrouted: UnroutedPolicy
    package var limits: LimitsConfiguration
    package var log: LogConfiguration
    /// Event-loop threads; a device lives on one of them with both its legs.
    package var threads: Int

    package init(
        listen: [ListenAddress] = [ListenAddress(host: "127.0.0.1", port: 1883)],
        uplink: UplinkConfiguration,
        auth: AuthConfiguration = AuthConfiguration(),
        routes: [Route] = [],
        unrouted: UnroutedPolicy = .reject,
        limits: LimitsConfiguration = LimitsConfiguration(),
        log: LogConfiguration = LogConfiguration(),
        threads: Int = 1
    ) {
        self.listen = listen
        self.uplink = uplink
        self.auth = auth
        self.routes = routes
        self.unrouted = unrouted
        self.limits = limits
        self.log = log
        self.threads = threads
    }
}
