/// A way from the devices to the broker: one column of the tables.
package struct Path: Sendable, Hashable {
    /// What the devices connect to.
    enum Sidecar: Sendable, Hashable {
        /// HAProxy, which wraps each device's TCP connection in TLS. All ratios are relative to it.
        case haproxy
        /// The bridge, with these lines in the `uplink` section of its configuration.
        case bridge(FarEnd, uplink: [String])
    }

    /// What answers QUIC at the broker's side.
    enum FarEnd: String, Sendable, Hashable {
        /// `mqtt-quic-bridge serve`.
        case serve
        /// The QUIC front of the integration tests, which behaves as EMQX does. It is written in Python.
        case front
        /// The same front, which hands out session tickets and accepts early data.
        case ticketFront = "front-tickets"
    }

    package let name: String
    let sidecar: Sidecar

    /// The server that this path needs at the broker's side; `nil` if the broker itself answers.
    var farEnd: FarEnd? {
        switch sidecar {
        case .haproxy: nil
        case .bridge(let farEnd, _): farEnd
        }
    }
}

extension Path {
    package static let haproxy = Path(name: "haproxy", sidecar: .haproxy)
    package static let connection = bridge("connection", .serve, "mapping: connection")
    package static let mux = bridge("mux", .serve, "mapping: mux")
    package static let dataStream = bridge(
        "data-stream", .front, "mapping: data-stream", "identity: {client_id: gateway}")

    /// The paths of most scenarios.
    package static let usual = [haproxy, connection, mux, dataStream]

    /// One device's QUIC connection, by what is there before the device: nothing, a session ticket, or a connection.
    package static let connecting = [
        haproxy,
        bridge("cold", .front, "mapping: connection", "warm: 0"),
        bridge("resumed", .ticketFront, "mapping: connection", "warm: 0"),
        bridge("0-rtt", .ticketFront, "mapping: connection", "warm: 0", "zero_rtt: connect"),
        bridge("warm", .ticketFront, "mapping: connection", "warm: 4"),
        mux,
    ]

    private static func bridge(_ name: String, _ farEnd: FarEnd, _ uplink: String...) -> Path {
        Path(name: name, sidecar: .bridge(farEnd, uplink: uplink))
    }
}
