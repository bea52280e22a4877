import BridgeCore
import Testing

@testable import BridgeConfig

/// Configurations of `serve` without errors, and its warnings.
struct ServeConfigurationTests {
    @Test func defaults() throws {
        let folder = try TemporaryFolder.forServe()
        let loaded = try loadServe(minimalServe, folder: folder, cores: 4)
        #expect(
            loaded.configuration
                == ServeConfiguration(
                    certificateFile: folder.path + "/ca.pem", keyFile: folder.path + "/server.key",
                    brokerHost: "broker",
                    threads: 4))
        #expect(loaded.warnings.isEmpty)
        #expect(loaded.origins["serve.broker_host"]?.description == "bridge.yaml:1:60")
    }

    @Test func everyKey() throws {
        let folder = try TemporaryFolder.forServe()
        let text = """
            serve:
              listen:
                - "[::]:1"
                - 10.0.0.1:0
              certificate: ca.pem
              key: server.key
              client_ca: ca.pem
              broker_host: "::1"
              broker_port: 1884
              broker_connect_timeout: 1s
              proxy_protocol: true
              retry: auto
              retry_above: 7
              early_data: False
              ticket_key_file: ticket.key
              server_id: 0A1f
              idle_timeout: 45s
              congestion_control: cubic
              send_twice: small
              connections: 11
              connections_per_address: 10
              streams_per_connection: 9
              handshakes_per_second: 8
              connect_within: 6s
              stream_buffer: 64KiB
              shutdown_timeout: 0s
              drain_timeout: 1m
            log: {level: debug, format: json}
            threads: 2
            gather_delay: 1ms
            """
        let loaded = try loadServe(text, folder: folder)
        #expect(
            loaded.configuration
                == ServeConfiguration(
                    listen: [ListenAddress(host: "::", port: 1), ListenAddress(host: "10.0.0.1", port: 0)],
                    certificateFile: folder.path + "/ca.pem", keyFile: folder.path + "/server.key",
                    clientCAFile: folder.path + "/ca.pem", brokerHost: "::1", brokerPort: 1_884,
                    brokerConnectTimeout: .seconds(1), sendsProxyHeader: true, retry: .auto, retryAbove: 7,
                    acceptsEarlyData: false, ticketKeyFile: folder.path + "/ticket.key", serverID: [0x0a, 0x1f],
                    limits: .init(
                        connections: 11, connectionsPerAddress: 10, streamsPerConnection: 9, handshakesPerSecond: 8,
                        connectWithin: .seconds(6), streamBuffer: 65_536, shutdownTimeout: .zero,
                        drainTimeout: .seconds(60)),
                    idleTimeout: .seconds(45), congestionControl: .cubic, sendTwice: .small,
                    log: LogConfiguration(level: .debug, format: .json), threads: 2,
                    gatherDelay: .milliseconds(1)))
        #expect(loaded.warnings.isEmpty)
    }

    @Test func theLimitForAnAddressFollowsTheOne() throws {
        let text = minimalServe.replacing("}", with: ", connections: 5}")
        #expect(try loadServe(text).configuration.limits.connectionsPerAddress == 5)
    }

    @Test func everythingFromTheEnvironment() throws {
        let folder = try TemporaryFolder.forServe()
        let environment = [
            "BRIDGE_SERVE_LISTEN": "127.0.0.1:1, [::1]:2", "BRIDGE_SERVE_CERTIFICATE": folder.path + "/ca.pem",
            "BRIDGE_SERVE_KEY": folder.path + "/server.key", "BRIDGE_SERVE_BROKER_HOST": "broker",
            "BRIDGE_SERVE_PROXY_PROTOCOL": "true", "BRIDGE_SERVE_RETRY": "always", "BRIDGE_LOG_LEVEL": "error",
            "BRIDGE_THREADS": "auto", "PATH": "/bin",
        ]
        let loaded = try ConfigurationLoader.load(.serve, file: nil, environment: environment, cores: 3)
        #expect(
            loaded.configuration
                == ServeConfiguration(
                    listen: [ListenAddress(host: "127.0.0.1", port: 1), ListenAddress(host: "::1", port: 2)],
                    certificateFile: folder.path + "/ca.pem", keyFile: folder.path + "/server.key",
                    brokerHost: "broker",
                    sendsProxyHeader: true, retry: .always, log: LogConfiguration(level: .error), threads: 3))
        #expect(loaded.origins["serve.retry"]?.description == "environment: BRIDGE_SERVE_RETRY")
        #expect(loaded.warnings.isEmpty)
    }

    /// One file works for both commands: neither reads the other's values.
    @Test func aFileForBothCommands() throws {
        let folder = try TemporaryFolder.forServe()
        let both = minimal + minimalServe
        let run = try ConfigurationLoader.load(.run, text: both, folder: folder.path).configuration
        #expect(try run == ConfigurationLoader.load(.run, text: minimal, folder: folder.path).configuration)
        #expect(
            try loadServe(both, folder: folder).configuration == loadServe(minimalServe, folder: folder).configuration)
        #expect(try errors(minimal + "serve: {retry: often, key: nowhere, listen: [x]}").isEmpty)
        #expect(try serveErrors("uplink: {port: none, ca: nowhere}\n" + minimalServe).isEmpty)
    }

    /// Names that mean nothing to `serve` cause no warning.
    @Test func namesOfDevicesAreNotRead() throws {
        let loaded = try loadServe(minimalServe, dotEnv: "MQTT_TRANSPORT=tcp\nMQTT_FOO=1\nMQTT_USERNAME=a")
        #expect(loaded.warnings.isEmpty)
    }

    @Test(arguments: [
        ("retry: never, retry_above: 5", "1:95: serve.retry_above: has no effect with serve.retry never"),
        (
            "retry_above: 5, handshakes_per_second: 5",
            "1:81: serve.retry_above: has no effect, as serve.handshakes_per_second (5) refuses connections before it is "
                + "reached"
        ),
        (
            "idle_timeout: 30s",
            "1:82: serve.idle_timeout: clients may be silent for 30s, but lose their connection after 30s"
        ),
    ])
    func warned(_ text: String, _ expected: String) throws {
        let loaded = try loadServe(minimalServe.replacing("}", with: ", \(text)}"))
        #expect(loaded.warnings == ["bridge.yaml:\(expected)"])
    }

    @Test func keysThatOthersCanReadAreWarnedOf() throws {
        let folder = try TemporaryFolder.forServe()
        let key = try folder.write("server.key", TemporaryFolder.key, mode: 0o644)
        let ticketKey = try folder.write("ticket.key", "x", mode: 0o640)
        let text = minimalServe.replacing("}", with: ", ticket_key_file: ticket.key}")
        #expect(
            try loadServe(text, folder: folder).warnings == [
                "bridge.yaml:1:35: serve.key: \(key) can be read by other users; chmod 600 it",
                "bridge.yaml:1:85: serve.ticket_key_file: \(ticketKey) can be read by other users, and anyone who has it can "
                    + "read what returning clients send first; chmod 600 it",
            ])
    }

    @Test func everythingIsShown() throws {
        let configuration = ServeConfiguration(
            listen: [ListenAddress(host: "0.0.0.0", port: 14_567), ListenAddress(host: "::", port: 14_567)],
            certificateFile: "/c.pem", keyFile: "/k.key", clientCAFile: "/ca.pem", brokerHost: "127.0.0.1",
            ticketKeyFile: "/t.key", serverID: [0, 0x1e, 7])
        let expected = """
            serve:
              listen: ["0.0.0.0:14567", "[::]:14567"]
              certificate: /c.pem
              key: /k.key
              client_ca: /ca.pem
              broker_host: "127.0.0.1"
              broker_port: 1883  # from BRIDGE_SERVE_BROKER_PORT
              broker_connect_timeout: 5s
              proxy_protocol: false
              retry: auto
              retry_above: 200
              early_data: true
              ticket_key_file: /t.key
              server_id: "001e07"
              idle_timeout: 2m
              congestion_control: bbr
              send_twice: retransmissions
              connections: 10000
              connections_per_address: 10000
              streams_per_connection: 1000
              handshakes_per_second: 1000
              connect_within: 5s
              stream_buffer: 256KiB
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
        let origins = ["serve.broker_port": Origin(.environment(variable: "BRIDGE_SERVE_BROKER_PORT"))]
        #expect(EffectiveConfiguration.render(configuration, origins: origins) == expected)
    }

    @Test func whatIsShownCanBeLoaded() throws {
        let folder = try TemporaryFolder.forServe()
        let text = minimalServe.replacing("}", with: ", retry: never, listen: [127.0.0.1:0], server_id: 00}")
        var first = try loadServe(text, folder: folder).configuration
        let second = try ConfigurationLoader.load(.serve, text: EffectiveConfiguration.render(first)).configuration
        // What is shown names also the defaults.
        first.admin.isListenGiven = true
        #expect(second == first)
    }
}
