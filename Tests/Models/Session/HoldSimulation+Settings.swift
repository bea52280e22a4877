import MQTTCodec

extension HoldSimulation.Setting {
    /// One of each kind, and combinations that have gone wrong.
    package static let all: [Self] = [
        Self(version: .v5_0), Self(version: .v5_0, isClean: false), Self(version: .v5_0, narrows: true),
        Self(version: .v5_0, isRouted: true, narrows: true), Self(version: .v5_0, hasLongMessages: true),
        Self(version: .v5_0, isPersistent: false, narrows: true), Self(version: .v5_0, buffer: 800),
        Self(version: .v5_0, buffer: 800, narrows: true),
        Self(version: .v3_1_1, isClean: false), Self(version: .v3_1_1, isClean: true),
        Self(version: .v3_1_1, isClean: false, isPersistent: false),
        Self(version: .v3_1_1, isClean: false, isRouted: true, hasLongMessages: true),
        Self(version: .v3_1, isClean: false), Self(version: .v3_1, isClean: true),
        Self(version: .v5_0, isStream: true), Self(version: .v3_1_1, isStream: true, hasLongMessages: true),
        Self(version: .v5_0, isStream: true, isRouted: true, buffer: 800),
        Self(version: .v5_0, isPersistent: false, isLate: true), Self(version: .v5_0, isLate: true),
        Self(version: .v3_1_1, isClean: true, isLate: true), Self(version: .v3_1, isClean: true, isLate: true),
        Self(version: .v5_0, isPersistent: false, narrows: true, isLate: true),
        Self(version: .v3_1_1, isClean: false, isPersistent: false, hasLongMessages: true, isLate: true),
    ]
}

extension HoldSimulation {
    /// Reads what the broker sends.
    static func decoder(_ version: MQTTVersion) -> FrameDecoder {
        var decoder = FrameDecoder(maximumPacketSize: 100_000, maximumBufferedSize: 100_000)
        decoder.version = version
        return decoder
    }
}
