import Foundation

/// The command line of each program, and the configuration file that it names.
extension Stage {
    private var address: String { network.cloud.address }
    private var certificate: String { "\(folder)/server.pem" }
    private var key: String { "\(folder)/server.key" }

    /// Makes the certificate of all servers. It signs itself, so that it is also what clients trust.
    static func makeCertificate(in folder: String) throws {
        let command = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "\(folder)/server.key",
            "-out", "\(folder)/server.pem",
        ]
        let process = try ChildProcess("openssl", command, log: "\(folder)/openssl.log")
        process.wait()
        if let failure = process.failure { throw failure }
    }

    /// Without limits of its own, so that none of the paths is measured by them.
    private static let brokerLimits = """
        allow_anonymous true
        set_tcp_nodelay true
        max_queued_messages 0
        max_inflight_messages 0
        """

    /// Mosquitto changes to another user if root starts it, who could not read the key.
    private var brokerUser: String { getuid() == 0 ? "user root" : "" }

    func brokerCommand(persistent: Bool) throws -> [String] {
        let persistence = """
            persistence true
            persistence_location \(folder)/
            autosave_interval 1
            autosave_on_changes true
            connection receiver
            address \(address):\(ports.receiver)
            topic # out 1
            cleansession false
            notifications false
            try_private false
            restart_timeout 1
            """
        let text = """
            \(brokerUser)
            \(Self.brokerLimits)
            listener \(ports.broker) \(address)
            listener \(ports.brokerTLS) \(address)
            certfile \(certificate)
            keyfile \(key)
            \(persistent ? persistence : "persistence false")

            """
        return ["mosquitto", "-c", try write("broker.conf", text)]
    }

    func receiverCommand() throws -> [String] {
        let text = """
            \(brokerUser)
            \(Self.brokerLimits)
            persistence false
            listener \(ports.receiver) \(address)

            """
        return ["mosquitto", "-c", try write("receiver.conf", text)]
    }

    func farEndCommand(_ kind: Path.FarEnd, _ path: Path, port: Int, devices: Int) throws -> [String] {
        switch kind {
        case .serve: try serveCommand(path, port: port, devices: devices)
        case .front: frontCommand(port: port, devices: devices, tickets: "off")
        case .ticketFront: frontCommand(port: port, devices: devices, tickets: "early-data")
        }
    }

    private func serveCommand(_ path: Path, port: Int, devices: Int) throws -> [String] {
        // HAProxy has no limit on handshakes, and all devices have the same address.
        let text = """
            serve:
              listen: ["\(address):\(port)"]
              certificate: \(certificate)
              key: \(key)
              broker_host: \(address)
              broker_port: \(ports.broker)
              connections: \(2 * devices + 100)
              connections_per_address: \(2 * devices + 100)
              handshakes_per_second: 100000

            """
        return [tools.bridge, "serve", "--config", try write("serve-\(path.name).yaml", text)]
    }

    private func frontCommand(port: Int, devices: Int, tickets: String) -> [String] {
        // More data streams per connection than EMQX allows by default (10): one connection carries all devices. Like
        // EMQX 6.0.3, the front follows three changes of an address.
        [
            tools.python ?? "python3", "-u", tools.front, "--listen", "\(address):\(port)",
            "--broker", "\(address):\(ports.broker)", "--certificate", certificate, "--private-key", key,
            "--no-packets",
            "--streams", "\(devices + 10)", "--tickets", tickets, "--follow-rebinds", "3",
        ]
    }

    func sidecarCommand(_ path: Path, port: Int, farPort: Int) throws -> [String] {
        switch path.sidecar {
        case .haproxy: try haproxyCommand(port: port)
        case .bridge(_, let uplink): try bridgeCommand(path, uplink, port: port, farPort: farPort)
        }
    }

    private func haproxyCommand(port: Int) throws -> [String] {
        let text = """
            global
                maxconn \(Tools.haproxyDevices)
            defaults
                mode tcp
                timeout connect 10s
                timeout client 1h
                timeout server 1h
            frontend mqtt
                bind \(network.edge.address):\(port)
                default_backend broker
            backend broker
                server broker \(address):\(ports.brokerTLS) ssl verify required ca-file \(certificate) \
            sni str(localhost) verifyhost localhost

            """
        return ["haproxy", "-db", "-f", try write("haproxy.cfg", text)]
    }

    private func bridgeCommand(_ path: Path, _ uplink: [String], port: Int, farPort: Int) throws -> [String] {
        let isGateway = uplink.contains("mapping: data-stream")
        let text = """
            listen: ["\(network.edge.address):\(port)"]
            admin: {listen: off}
            uplink:
              host: \(address)
              port: \(farPort)
              server_name: localhost
              ca: \(certificate)
            \(uplink.map { "  \($0)" }.joined(separator: "\n"))
            limits: {devices: 20000, devices_per_address: 20000, accept_rate: 100000}
            \(isGateway ? "auth: {mode: local, anonymous: true}" : "")

            """
        return [tools.bridge, "run", "--config", try write("\(path.name).yaml", text)]
    }

    /// Writes a configuration, and returns its path.
    private func write(_ name: String, _ text: String) throws -> String {
        let path = "\(folder)/\(name)"
        do {
            try text.write(toFile: path, atomically: false, encoding: .utf8)
        } catch {
            throw SuiteError("\(path) cannot be written: \(error.localizedDescription)")
        }
        return path
    }
}
