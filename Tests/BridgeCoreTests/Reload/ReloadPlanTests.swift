import Testing

@testable import BridgeCore

struct ReloadPlanTests {
    private static let old = BridgeConfiguration(uplink: UplinkConfiguration(host: "a", caFile: "ca.pem"))
    private static let served = ServeConfiguration(certificateFile: "c", keyFile: "k", brokerHost: "b")

    private static func plan(
        files: Set<String> = [], _ change: (inout BridgeConfiguration) -> Void
    ) -> ReloadPlan<BridgeConfiguration> {
        var new = old
        change(&new)
        return ReloadPlan(from: old, to: new, files: files)
    }

    @Test func theSameConfigurationChangesNothing() {
        let plan = Self.plan { _ in }
        #expect(plan.changes.isEmpty && plan.target == Self.old && !plan.needsRestart)
        #expect(ReloadPlan(from: Self.served, to: Self.served).changes.isEmpty)
    }

    struct Case: Sendable {
        let keys: [String]
        let change: @Sendable (inout BridgeConfiguration) -> Void

        init(_ keys: String..., change: @escaping @Sendable (inout BridgeConfiguration) -> Void) {
            self.keys = keys
            self.change = change
        }
    }

    private static let applied = [
        Case("uplink.host") { $0.uplink.host = "b" },
        Case("uplink.port") { $0.uplink.port = 1 },
        Case("uplink.endpoints") { $0.uplink.endpoints.append(UplinkEndpoint(host: "b")) },
        Case("uplink.ca") { $0.uplink.caFile = "other.pem" },
        Case("uplink.fallback.host", "uplink.fallback.port", "uplink.fallback.after") {
            $0.uplink.fallback = UplinkFallback(host: "b", port: 8884)
        },
        Case("uplink.hold_time") { $0.uplink.hold.time = .seconds(1) },
        Case("uplink.warm") { $0.uplink.warm = 7 },
        Case("auth.mode", "auth.username") {
            $0.auth.mode = .inject
            $0.auth.identity.username = "u"
        },
        Case("auth.password") { $0.auth.identity.password = Secret("s") },
        Case("routes") { $0.routes = [Route(local: "a", remote: "b")] },
        Case("unrouted") { $0.unrouted = .drop },
        Case("limits.devices") { $0.limits.devices = 1 },
        Case("log.level", "log.format", "log.repeats") {
            $0.log = LogConfiguration(level: .trace, format: .json, repeats: .all)
        },
    ]

    @Test(arguments: applied)
    func applies(item: Case) {
        let plan = Self.plan(item.change)
        #expect(plan.changes.map(\.key) == item.keys)
        #expect(plan.changes.allSatisfy { $0.effect == .applied })
        var new = Self.old
        item.change(&new)
        #expect(plan.target == new)
    }

    private static let waiting = [
        Case("listen") { $0.listen = [ListenAddress(host: "::1", port: 1)] },
        Case("threads") { $0.threads = 9 },
        Case("gather_delay") { $0.gatherDelay = .milliseconds(3) },
        Case("uplink.mapping") { $0.uplink.mapping = .mux },
        Case("uplink.ticket_file") { $0.uplink.ticketFile = "t" },
        Case("admin.listen") { $0.admin.listen = AdminConfiguration.defaultAddress },
        Case("admin.token_file") { $0.admin.tokenFile = "t" },
        Case("admin.host_names") { $0.admin.hostNames = ["h"] },
    ]

    @Test(arguments: waiting)
    func needsARestart(item: Case) {
        let plan = Self.plan(item.change)
        #expect(plan.changes.map(\.key) == item.keys)
        #expect(plan.needsRestart && plan.target == Self.old)
        // The rest is applied, unless it is all or nothing.
        let mixed = Self.plan {
            item.change(&$0)
            $0.unrouted = .drop
        }
        #expect(mixed.target.unrouted == .drop && mixed.needsRestart)
        #expect(mixed.refusal(isAllOrNothing: false) == nil)
        let refusal = mixed.refusal(isAllOrNothing: true)
        #expect(refusal?.ok == false && refusal?.errors == [] && refusal?.changes == mixed.changes)
    }

    /// What belongs to data streams waits with the mapping: half of it would be no valid configuration.
    @Test func whatBelongsToTheMappingWaitsWithIt() {
        let plan = Self.plan {
            $0.uplink.mapping = .dataStream
            $0.uplink.identity = GatewayIdentity(clientID: "gateway", username: "u")
            $0.auth.mode = .local
            $0.auth.allowsAnonymous = true
            $0.limits.devices = 5
        }
        #expect(
            plan.changes.filter { $0.effect == .needsRestart }.map(\.key) == [
                "uplink.mapping", "uplink.identity.client_id", "uplink.identity.username",
                "uplink.identity.version", "uplink.identity.keep_alive", "auth.mode", "auth.anonymous",
            ])
        var expected = Self.old
        expected.limits.devices = 5
        #expect(plan.target == expected)
    }

    @Test func protocolNamesWaitWithTheMapping() {
        let plan = Self.plan {
            $0.uplink.mapping = .mux
            $0.uplink.alpn = ["mqtt-mux"]
        }
        #expect(plan.changes.map(\.effect) == [.needsRestart, .needsRestart])
        #expect(plan.target == Self.old)
    }

    @Test func aFileWithOtherContentsIsAChange() {
        let plan = Self.plan(files: ["uplink.ca", "auth.password_file"]) { _ in }
        #expect(plan.changes.map(\.key) == ["uplink.ca", "auth.password"])
        #expect(plan.changes[0].effect == .applied && plan.changes[0].detail.contains("contents"))
    }

    @Test func secretsAreNotInTheReport() {
        let plan = Self.plan {
            $0.auth.mode = .inject
            $0.auth.identity.password = Secret("s3cret")
        }
        #expect(!"\(plan.changes)".contains("s3cret"))
    }

    /// A rule for a key that nothing can change would be a rule that is never used.
    @Test func everyRuleHasNamesOfItsOwn() {
        for keys in [BridgeConfiguration.reloadRules.flatMap(\.keys), ServeConfiguration.reloadRules.flatMap(\.keys)] {
            #expect(Set(keys).count == keys.count)
        }
    }

    @Test func serveAppliesItsLimitsAndNamesItsAddresses() {
        var new = Self.served
        new.limits.connections = 3
        new.brokerPort = 1884
        new.listen = [ListenAddress(host: "::", port: 1)]
        new.ticketKeyFile = "t"
        let plan = ReloadPlan(from: Self.served, to: new)
        #expect(
            plan.changes.filter { $0.effect == .applied }.map(\.key) == [
                "serve.broker_port", "serve.ticket_key_file", "serve.connections",
            ])
        #expect(plan.changes.filter { $0.effect == .needsRestart }.map(\.key) == ["serve.listen"])
        #expect(plan.target.listen == Self.served.listen && plan.target.brokerPort == 1884)
    }
}
