/// The configuration of every program. This is what a user would set who wants nothing to be lost.
struct Configurations {
    let network: (edge: String, cloud: String)
    let ports: Ports
    let folder: String
    let certificates: Certificates
    let devices: Int

    struct Ports {
        let broker: Int
        let bridges: [Group: Int]
        let serves: [Group: Int]
    }

    /// Sessions, retained messages and what is queued for clients that are away outlast a restart of the broker, and no
    /// queue has a limit that is reached here. Messages with QoS 0 are queued, too, because a device may be back before
    /// the observer.
    ///
    /// `max_inflight_messages` must not be 0, "no limit": Mosquitto 2.0.11 then takes messages that were under way for
    /// messages that wait when it reads them from its file (`persist__client_msg_restore`). It publishes a message with
    /// QoS 2 again although its client has had PUBREL, and forgets that it has one that a client has yet to release.
    func broker(isRoot: Bool) -> String {
        """
        \(isRoot ? "user root" : "")
        allow_anonymous true
        set_tcp_nodelay true
        max_queued_messages 0
        max_inflight_messages 10000
        queue_qos0_messages true
        persistence true
        persistence_location \(folder)/
        listener \(ports.broker) \(network.cloud)

        """
    }

    func serve(_ group: Group) -> String {
        """
        serve:
          listen: ["\(network.cloud):\(ports.serves[group] ?? 0)"]
          certificate: \(certificates.certificate)
          key: \(certificates.key)
          broker_host: \(network.cloud)
          broker_port: \(ports.broker)
          ticket_key_file: \(folder)/serve-\(group).tickets

        """
    }

    /// - Parameter variant: 0 or 1: settings that differ from one reload to the next, and disconnect nobody.
    func bridge(_ group: Group, variant: Int) -> String {
        """
        listen: ["\(network.edge):\(ports.bridges[group] ?? 0)"]
        admin: {listen: off}
        uplink:
          host: \(network.cloud)
          port: \(ports.serves[group] ?? 0)
          server_name: localhost
          ca: \(certificates.authority)
          mapping: \(group)
          ticket_file: \(folder)/\(group).tickets
          on_loss: hold
          hold_time: 5m
          hold_buffer: 1MiB
          hold_buffer_total: \(devices)MiB
          hold_qos0: keep
          warm: \(2 + variant)
        limits: {devices: \(2 * devices + 1000), devices_per_address: \(2 * devices + 999 + variant), accept_rate: 5000}

        """
    }
}
