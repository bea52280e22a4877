import MQTTCodec

/// What connections are made for. Each purpose has a backoff of its own: a broker that refuses the gateway's session in
/// one version of MQTT may well accept the other.
package enum UplinkPurpose: Hashable, Sendable {
    /// Devices with sessions of their own at the broker.
    case devices
    /// The gateway's sessions of that version, whose data streams carry the devices.
    case gateway(MQTTVersion)
}
