import BridgeCore
import Testing

@testable import BridgeConfig

struct EffectiveConfigurationTests {
    @Test func everythingIsShown() throws {
        let configuration = BridgeConfiguration(
            listen: [ListenAddress(host: "127.0.0.1", port: 1883), ListenAddress(host: "::1", port: 1883)],
            uplink: UplinkConfiguration(host: "mqtt.tesaiot.com", caFile: "/etc/bridge/ca.pem"),
            auth: AuthConfiguration(
                mode: .inject, identity: .init(username: "a\"b", password: Secret("p")),
                overrides: [.init(match: .clientID("c"), identity: .init(clientID: "d", password: Secret("p")))]),
            routes: [Route(local: "a/#", remote: "${username}/#")])
        let expected = """
            listen: ["127.0.0.1:1883", "[::1]:1883"]
            uplink:
              host: mqtt.tesaiot.com  # from MQTT_HOST
              port: 14567
              ca: /etc/bridge/ca.pem
              mapping: auto  # offers mqtt-mux, mqtt
              devices_per_connection: 1000
              address_family: any
              connect_timeout: 5s
              keep_alive: 25s
              idle_timeout: 1m
              congestion_control: bbr
              send_twice: retransmissions
              backoff_minimum: 1s
              backoff_maximum: 1m
              reconnects_per_second: 500
              path_timeout: auto
              on_loss: hold
              hold_time: 5m
              hold_buffer: 1MiB
              hold_buffer_total: 64MiB
              hold_qos0: keep
              zero_rtt: off
              warm: 2
            auth:
              mode: inject
              username: "a\\"b"
              password: "********"  # hidden; not a value to copy
              overrides:
                - {match: {client_id: "c"}, client_id: "d", password: "********"}
            routes:
              - {local: "a/#", remote: "${username}/#", direction: both, max_qos: 2, retain: keep}
            unrouted: reject
            limits:
              devices: 10000
              devices_per_address: 10000
              connect_within: 5s
              packet_size: 10MB
              session_buffer: 256KiB
              accept_rate: 1000
              shutdown_timeout: 5s
              drain_timeout: 5m
            log:
              level: info
              format: text
              repeats: sum
            threads: 1
            gather_delay: 0s
            admin:
              listen: off

            """
        let origins = ["uplink.host": Origin(.environment(variable: "MQTT_HOST"))]
        #expect(EffectiveConfiguration.render(configuration, origins: origins) == expected)
    }

    @Test func withoutRoutesNothingIsRejected() {
        let configuration = BridgeConfiguration(uplink: UplinkConfiguration(host: "a", caFile: "/ca.pem"))
        let expected = "routes: []  # every topic passes unchanged\nunrouted: reject  # of no effect without routes\n"
        #expect(EffectiveConfiguration.render(configuration).contains(expected))
    }

    /// The rendered configuration must load again, except for the secrets.
    @Test func whatIsShownCanBeLoaded() throws {
        let folder = try TemporaryFolder()
        let text =
            minimal + """
                listen: [{address: "127.0.0.1:0", name: "a: \\"b\\" c\\u00e9"}]
                auth: {mode: inject, client_id: "yes", username: "x\\u2028y\\\\z"}
                routes: [{local: "+/a b/#", remote: "${peer}/+/#", direction: down}]
                limits: {packet_size: 12345, connect_within: 1500ms}
                """
        var first = try ConfigurationLoader.load(.run, text: text, folder: folder.path).configuration
        let shown = EffectiveConfiguration.render(first)
        // What is shown names also the defaults.
        first.admin.isListenGiven = true
        #expect(try ConfigurationLoader.load(.run, text: shown).configuration == first)
    }

    @Test func theGatewaysIdentityIsShownWithoutItsPassword() {
        let configuration = BridgeConfiguration(
            uplink: UplinkConfiguration(
                host: "a", caFile: "/ca.pem", mapping: .dataStream,
                identity: GatewayIdentity(clientID: "gw", username: "u", password: Secret("p"), version: .v5_0)),
            auth: AuthConfiguration(mode: .local, usersFile: "/users", allowsAnonymous: true))
        let shown = EffectiveConfiguration.render(
            configuration, origins: ["uplink.identity.username": Origin(.environment(variable: "MQTT_USERNAME"))])
        let identity = """
              identity:
                client_id: "gw"
                username: "u"  # from MQTT_USERNAME
                password: "********"  # hidden; not a value to copy
                version: 5.0
                keep_alive: 1m
            auth:
              mode: local
              users_file: /users
              anonymous: true

            """
        #expect(shown.contains(identity))
        #expect(shown.contains("  mapping: data-stream  # offers mqtt\n"))
        // The key would have no effect, and would cause a warning when it is loaded again.
        #expect(!shown.contains("devices_per_connection"))
    }

    @Test func endpointsAndFallbackAreShown() {
        var uplink = UplinkConfiguration(
            host: "a", serverName: "name", fallback: UplinkFallback(host: "b", port: 8_884), caFile: "/ca.pem",
            pathTimeout: .milliseconds(300), onLoss: .close, ticketFile: "/tickets")
        uplink.endpoints.append(UplinkEndpoint(host: "::1", port: 1))
        let shown = EffectiveConfiguration.render(
            BridgeConfiguration(uplink: uplink),
            origins: ["uplink.fallback.port": Origin(.environment(variable: "BRIDGE_UPLINK_FALLBACK_PORT"))])
        #expect(
            shown.contains(
                """
                uplink:
                  endpoints:
                    - {host: a, port: 14567, server_name: name}
                    - {host: "::1", port: 1}
                  ca: /ca.pem

                """))
        #expect(
            shown.contains(
                """
                  path_timeout: 300ms
                  on_loss: close
                  zero_rtt: off
                  warm: 2
                  ticket_file: /tickets
                  fallback:
                    host: b
                    port: 8884  # TLS over TCP, from BRIDGE_UPLINK_FALLBACK_PORT
                    after: 5s
                auth:

                """))
    }

    /// The section is shown so that its variable is named.
    @Test func anEndpointOfTheEnvironmentIsShownAsOne() throws {
        let loaded = try load(minimal, environment: ["BRIDGE_UPLINK_ENDPOINTS": "broker"])
        let shown = EffectiveConfiguration.render(loaded.configuration, origins: loaded.origins)
        let expected =
            "uplink:\n  endpoints:  # from BRIDGE_UPLINK_ENDPOINTS\n    - {host: broker, port: 14567}\n  ca: "
        #expect(shown.contains(expected))
    }

    /// The rendered configuration must load again without warnings, except for the secrets.
    @Test(arguments: [
        "uplink: {endpoints: [{host: a, server_name: b}, \"[::1]:5\"], ca: ca.pem, fallback: {port: 8884, after: 2s}}",
        "uplink: {host: a, ca: ca.pem, on_loss: close, zero_rtt: connect, warm: 0, path_timeout: 2s}",
        "uplink: {host: a, ca: ca.pem, hold_time: 90m, hold_buffer: 4096, hold_buffer_total: 5000, hold_qos0: drop-oldest}",
        "uplink: {host: a, ca: ca.pem, mapping: mux, devices_per_connection: 7, reconnects_per_second: 8}",
        "uplink: {host: a, ca: ca.pem, mapping: connection, alpn: [mqtt, x]}",
        "uplink: {host: a, ca: ca.pem, mapping: data-stream, identity: {client_id: \"a: b\", keep_alive: 90s}}\n"
            + "auth: {mode: local, users_file: ca.pem}",
    ])
    func whatIsShownOfMappingsCanBeLoaded(_ text: String) throws {
        let folder = try TemporaryFolder()
        var first = try ConfigurationLoader.load(.run, text: text, folder: folder.path).configuration
        let second = try ConfigurationLoader.load(.run, text: EffectiveConfiguration.render(first))
        first.admin.isListenGiven = true
        #expect(second.configuration == first)
        #expect(second.warningsBesidesRoutes.isEmpty)
    }
}
