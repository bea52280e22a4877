import BridgeCore

/// Fills in what the key `profile` stands for. Whatever the file, `.env` or the environment gives wins.
struct ProfileDefaults {
    /// The place of every value that comes from the profile.
    let origin: Origin
    private let folder: String

    /// `nil` if there is no profile, or none of that name, which is reported when the key is read.
    init?(_ settings: Settings) {
        guard let platform = settings.scalars[.profile].flatMap({ Platform(rawValue: $0.text) }) else { return nil }
        switch platform {
        case .tesaiot: break
        }
        origin = Origin(.profile(name: platform.rawValue))
        folder = settings.folder
    }

    func apply(to settings: inout Settings) {
        if settings.layer(of: .uplinkEndpoints) == nil {
            set(.uplinkHost, TESAIoT.host, in: &settings)
            set(.uplinkPort, "\(TESAIoT.port)", in: &settings)
        }
        set(.uplinkCA, TESAIoT.caFile, in: &settings)
        set(.unrouted, UnroutedPolicy.reject.rawValue, in: &settings)
        guard needsFallback(settings) else { return }
        let hasCertificate = settings.scalars[.uplinkClientCertificate] != nil
        let port = hasCertificate ? TESAIoT.fallbackPortForCertificates : TESAIoT.fallbackPort
        set(.uplinkFallbackPort, "\(port)", in: &settings)
    }

    /// Nobody has said of another host that something listens there, and `data-stream` has no fallback.
    private func needsFallback(_ settings: Settings) -> Bool {
        guard settings.scalars[.uplinkMapping]?.text != UplinkConfiguration.Mapping.dataStream.rawValue else {
            return false
        }
        let isAsked = settings.sections["uplink.fallback"] != nil || settings.scalars[.uplinkFallbackHost] != nil
        return isAsked || settings.scalars[.uplinkHost]?.text.lowercased() == TESAIoT.host
    }

    private func set(_ key: Key, _ text: String, in settings: inout Settings) {
        guard settings.layer(of: key) == nil else { return }
        settings.set(key, Setting(text: text, origin: origin, layer: .profile, folder: folder))
    }
}
