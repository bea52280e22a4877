/// The state of the whole program: `/api/status`, the status page and `mqtt-quic-bridge status` show it.
package struct StatusReport: Codable, Sendable, Equatable {
    /// The program itself.
    package struct Program: Codable, Sendable, Equatable {
        /// `run` or `serve`.
        package var command: String
        /// The version of the program.
        package var version: String
        /// When the program started, in seconds since 1970-01-01T00:00:00Z.
        package var startedAt: Double
        /// The process identifier, to which signals can be sent.
        package var processID: Int
        /// Whether it takes no new devices because it was asked to drain.
        package var isDraining: Bool

        package init(command: String, version: String, startedAt: Double, processID: Int, isDraining: Bool) {
            self.command = command
            self.version = version
            self.startedAt = startedAt
            self.processID = processID
            self.isDraining = isDraining
        }
    }

    /// The way to the broker: over QUIC or TLS for `run`, over TCP for `serve`.
    package struct Uplink: Codable, Sendable, Equatable {
        /// Whether the broker can be reached.
        package enum State: String, Codable, Sendable, CaseIterable {
            /// A connection to the broker stands, or was made lately.
            case up
            /// The last attempt failed.
            case down
            /// Nothing has been tried yet, or nothing for a while.
            case unknown
        }

        /// Whether the broker can be reached.
        package var state: State
        /// `quic`, `tls` or `tcp`.
        package var transport: String
        /// Host and port in use, `mqtt.example.com:14567`.
        package var endpoint: String
        /// `connection`, `mux` or `data-stream`; `nil` while `auto` has not been decided, and for `serve`.
        package var mapping: String?
        /// When the state was entered, in seconds since 1970-01-01T00:00:00Z.
        package var since: Double
        /// Why the broker cannot be reached, in a sentence for an operator; `nil` if it can be, or nothing is known.
        package var problem: String?
        /// Connections that stand.
        package var connections: Int

        package init(
            state: State, transport: String, endpoint: String, mapping: String? = nil, since: Double,
            problem: String? = nil, connections: Int
        ) {
            self.state = state
            self.transport = transport
            self.endpoint = endpoint
            self.mapping = mapping
            self.since = since
            self.problem = problem
            self.connections = connections
        }
    }

    /// A certificate that the program uses or was shown.
    package struct Certificate: Codable, Sendable, Equatable {
        /// What it is for: `broker`, `uplink client`, `server`, `CA`.
        package var role: String
        /// Whose certificate it is: its distinguished name, such as `CN=mqtt.example.com`.
        package var subject: String
        /// When it expires, in seconds since 1970-01-01T00:00:00Z.
        package var expiresAt: Double

        package init(role: String, subject: String, expiresAt: Double) {
            self.role = role
            self.subject = subject
            self.expiresAt = expiresAt
        }
    }

    /// The program itself.
    package var program: Program
    /// The way to the broker.
    package var uplink: Uplink
    /// The addresses that devices (for `serve`: clients) connect to, with the ports that the system chose.
    package var listen: [String]
    /// How many devices are in which state.
    package var devices: DeviceCounts
    /// The certificates that the program uses or was shown.
    package var certificates: [Certificate]

    package init(
        program: Program, uplink: Uplink, listen: [String], devices: DeviceCounts, certificates: [Certificate]
    ) {
        self.program = program
        self.uplink = uplink
        self.listen = listen
        self.devices = devices
        self.certificates = certificates
    }
}

/// How many devices are in which ``DeviceState`` now.
package struct DeviceCounts: Codable, Sendable, Equatable {
    package var connecting: Int
    package var live: Int
    package var held: Int
    package var ending: Int

    package init(connecting: Int = 0, live: Int = 0, held: Int = 0, ending: Int = 0) {
        self.connecting = connecting
        self.live = live
        self.held = held
        self.ending = ending
    }
}
