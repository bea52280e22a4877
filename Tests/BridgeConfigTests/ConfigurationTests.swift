import BridgeCore
import Testing

@testable import BridgeConfig

/// Configurations without errors.
struct ConfigurationTests {
    @Test func defaults() throws {
        let loaded = try load(minimal, cores: 4)
        let expected = BridgeConfiguration(
            uplink: UplinkConfiguration(host: "mqtt.example.com", caFile: loaded.configuration.uplink.caFile),
            admin: AdminConfiguration(listen: AdminConfiguration.defaultAddress), threads: 4)
        #expect(loaded.configuration == expected)
        #expect(loaded.warnings.isEmpty)
        #expect(loaded.origins["uplink.host"]?.description == "bridge.yaml:1:16")
    }

    @Test func everyKey() throws {
        let text = """
            listen:
              - 127.0.0.1:1
              - {address: "[::1]:2", name: hall}
            uplink:
              host: broker
              port: 1
              server_name: other
              ca: ca.pem
              mapping: connection
              alpn: [a, b]
              address_family: ipv6
              connect_timeout: 7
              keep_alive: 1500ms
              idle_timeout: 1m
              congestion_control: cubic
              send_twice: never
              backoff_minimum: 2s
              backoff_maximum: 3m
              path_timeout: 250ms
              on_loss: hold
              hold_time: 1h
              hold_buffer: 8KiB
              hold_buffer_total: 2GiB
              hold_qos0: drop-oldest
              zero_rtt: connect
              warm: 7
              ticket_file: tickets
              fallback: {host: other, port: 8884, server_name: third, after: 2s}
            auth:
              mode: inject
              client_id: "x-${clientid}"
              username: 0123
              password: yes
              overrides:
                - {match: {client_id: a}, client_id: b}
                - {match: {username: c}, username: d, password: e}
            routes:
              - {local: "a/#", remote: "b/${username}/#", direction: up, max_qos: 1, retain: strip}
              - {local: "c/+/d", remote: "+"}
            unrouted: drop
            limits:
              devices: 5
              devices_per_address: 4
              connect_within: 2s
              packet_size: 1MB
              session_buffer: 64KiB
              accept_rate: 3
              shutdown_timeout: 0
              drain_timeout: 2h
            log: {level: debug, format: json}
            threads: 2
            gather_delay: 2ms
            """
        let configuration = try load(text).configuration
        #expect(
            configuration.listen == [
                ListenAddress(host: "127.0.0.1", port: 1), ListenAddress(host: "::1", port: 2, name: "hall"),
            ])
        #expect(
            configuration.uplink
                == UplinkConfiguration(
                    host: "broker", port: 1, serverName: "other",
                    fallback: UplinkFallback(host: "other", port: 8_884, serverName: "third", after: .seconds(2)),
                    caFile: configuration.uplink.caFile,
                    mapping: .connection, alpn: ["a", "b"],
                    addressFamily: .ipv6, connectTimeout: .seconds(7), keepAlive: .milliseconds(1_500),
                    idleTimeout: .seconds(60),
                    congestionControl: .cubic, sendTwice: .never,
                    backoffMinimum: .seconds(2), backoffMaximum: .seconds(180),
                    pathTimeout: .milliseconds(250),
                    hold: HoldConfiguration(
                        time: .seconds(3_600), buffer: 8_192, totalBuffer: 2_147_483_648, qos0: .dropOldest),
                    zeroRTT: .connect, warm: 7,
                    ticketFile: configuration.uplink.caFile.replacing("ca.pem", with: "tickets")))
        // Text is taken literally: there are no octal numbers and no other booleans.
        #expect(
            configuration.auth
                == AuthConfiguration(
                    mode: .inject,
                    identity: .init(clientID: "x-${clientid}", username: "0123", password: Secret("yes")),
                    overrides: [
                        .init(match: .clientID("a"), identity: .init(clientID: "b")),
                        .init(match: .username("c"), identity: .init(username: "d", password: Secret("e"))),
                    ]))
        #expect(
            configuration.routes == [
                Route(local: "a/#", remote: "b/${username}/#", direction: .up, maximumQoS: 1, retain: .strip),
                Route(local: "c/+/d", remote: "+"),
            ])
        #expect(configuration.unrouted == .drop)
        #expect(
            configuration.limits
                == LimitsConfiguration(
                    devices: 5, devicesPerAddress: 4, connectWithin: .seconds(2), packetSize: 1_000_000,
                    sessionBuffer: 65_536,
                    acceptRate: 3, shutdownTimeout: .zero, drainTimeout: .seconds(7_200)))
        #expect(configuration.log == LogConfiguration(level: .debug, format: .json))
        #expect(configuration.threads == 2)
        #expect(configuration.gatherDelay == .milliseconds(2))
    }

    @Test func sectionsAndListsWithEverythingCommentedOut() throws {
        let loaded = try load(minimal + "listen:\nauth:\n  # mode: inject\nroutes:\nlimits:\nlog:\n")
        #expect(loaded.configuration.routes.isEmpty)
        #expect(loaded.configuration.listen.count == 1)
    }

    @Test func oneListenerWithoutAList() throws {
        #expect(try load(minimal + "listen: \"[::1]:1\"").configuration.listen.map(\.host) == ["::1"])
        #expect(try load(minimal + "listen: {address: 127.0.0.1:1}").configuration.listen.map(\.port) == [1])
    }

    @Test func aBackoffLimitAloneMovesTheOther() throws {
        let slow = try load("uplink: {host: a, ca: ca.pem, backoff_minimum: 2m}").configuration.uplink
        #expect(slow.backoffMaximum == .seconds(120))
        let quick = try load("uplink: {host: a, ca: ca.pem, backoff_maximum: 100ms}").configuration.uplink
        #expect(quick.backoffMinimum == .milliseconds(100))
    }

    @Test func usernameFile() throws {
        let folder = try TemporaryFolder()
        try folder.write("name", "plant-${clientid}\n", mode: 0o644)
        let loaded = try ConfigurationLoader.load(
            .run, text: minimal + "auth: {mode: inject, username_file: name}", folder: folder.path)
        #expect(loaded.configuration.auth.identity.username == "plant-${clientid}")
        #expect(loaded.warnings.isEmpty)
    }
}
