import BridgeCore
import Foundation
import Testing

@testable import BridgeConfig

/// The keys of the mode `bundles`.
struct BundleConfigurationTests {
    private static func text(_ auth: String, uplink: String = "") -> String {
        "uplink: {host: mqtt.example.com, ca: ca.pem\(uplink)}\nauth:\n  \(auth)\n"
    }

    private static let map =
        "bundle_map: [{client_id: pump, device_id: dev-1}, {client_id: valve, device_id: dev-2}]"

    @Test func theKeysAreRead() throws {
        let loaded = try load(
            Self.text("mode: bundles\n  bundles: .\n  \(Self.map)\n  device_passwords: replace"))
        let auth = loaded.configuration.auth
        #expect(auth.mode == .bundles && auth.devicePasswords == .replace)
        #expect(auth.bundlesFolder?.hasSuffix("/.") == true)
        #expect(auth.bundleMap.map(\.clientID) == ["pump", "valve"])
        #expect(auth.bundleMap.map(\.deviceID) == ["dev-1", "dev-2"])
    }

    @Test func theyAreShown() throws {
        let folder = try TemporaryFolder()
        let text = Self.text("mode: bundles\n  bundles: .\n  \(Self.map)")
        let loaded = try ConfigurationLoader.load(.run, text: text, folder: folder.path)
        let shown = EffectiveConfiguration.render(loaded.configuration)
        #expect(shown.contains("  device_passwords: pass\n"))
        #expect(shown.contains("    - {client_id: \"pump\", device_id: \"dev-1\"}\n"))
        let again = try ConfigurationLoader.load(.run, text: shown)
        #expect(again.configuration.auth == loaded.configuration.auth)
    }

    @Test func anOpenListenerIsWarnedOf() throws {
        let loaded = try load("listen: \"0.0.0.0:1883\"\n" + Self.text("mode: bundles\n  bundles: ."))
        #expect(loaded.warnings.contains { $0.contains("is let in as the device whose id it sends") })
    }

    @Test func twoClientsOfOneDeviceAreWarnedOf() throws {
        let map = "bundle_map: [{client_id: a, device_id: d}, {client_id: b, device_id: d}]"
        let loaded = try load(Self.text("mode: bundles\n  bundles: .\n  \(map)"))
        #expect(loaded.warnings.contains { $0.contains("auth.bundle_map[1]: a previous item has the same device_id") })
    }

    @Test(arguments: [
        ("mode: bundles", "auth.bundles: is missing"),
        ("mode: bundles\n  bundles: nowhere", "auth.bundles: DIR/nowhere: no such folder"),
        ("mode: bundles\n  bundles: ca.pem", "auth.bundles: DIR/ca.pem: is not a folder"),
        ("mode: bundles\n  bundles: .\n  username: u", "auth.username: has no effect with mode bundles"),
        ("mode: passthrough\n  bundles: .", "auth.bundles: has no effect with mode passthrough; write mode: bundles"),
        (
            "mode: inject\n  username: u\n  device_passwords: pass",
            "auth.device_passwords: has no effect with mode inject"
        ),
        (
            "mode: bundles\n  bundles: .\n  device_passwords: passs",
            "auth.device_passwords: \"passs\" is not a value of this key; did you mean \"pass\"?"
        ),
        ("mode: bundles\n  bundles: .\n  bundle_map: {a: b}", "auth.bundle_map: expected a list, found a map"),
        (
            "mode: bundles\n  bundles: .\n  bundle_map: [{client_id: a}]",
            "auth.bundle_map[0]: device_id is missing"
        ),
        (
            "mode: bundles\n  bundles: .\n  bundle_map: [{client_id: a, device_id: d, divice: e}]",
            "auth.bundle_map[0].divice: unknown key"
        ),
        (
            "mode: bundles\n  bundles: .\n  bundle_map: [{client_id: a, device_id: d}, {client_id: a, device_id: e}]",
            "auth.bundle_map[1]: a previous item has the same client_id"
        ),
        (
            "mode: bundles\n  bundles: .\n  bundle_map: [{client_id: \"\", device_id: d}]",
            "auth.bundle_map[0].client_id: is empty"
        ),
    ])
    func errorsNameTheKey(auth: String, message: String) throws {
        let found = try errors(Self.text(auth))
        #expect(found.contains { $0.contains(message) }, "\(found)")
    }

    @Test func dataStreamNeedsAnotherMode() throws {
        let found = try errors(
            Self.text("mode: bundles\n  bundles: .", uplink: ", mapping: data-stream, identity: {client_id: g}"))
        #expect(
            found.contains { $0.contains("auth.mode: uplink.mapping data-stream needs mode local, not bundles") },
            "\(found)")
    }
}
