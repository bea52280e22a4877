import BridgeCore

@testable import BridgeConfig

/// What every configuration needs.
let minimal = "uplink: {host: mqtt.example.com, ca: ca.pem}\n"

/// Loads `text` in a folder that has a `ca.pem`.
func load(
    _ text: String, dotEnv: String? = nil, environment: [String: String] = [:], cores: Int = 4
) throws -> LoadedConfiguration {
    let folder = try TemporaryFolder()
    return try ConfigurationLoader.load(
        text: text, folder: folder.path, dotEnv: dotEnv, environment: environment, cores: cores)
}

/// The lines that an operator sees; empty where the configuration loads.
func errors(
    _ text: String, dotEnv: String? = nil, environment: [String: String] = [:], folder: TemporaryFolder? = nil
) throws -> [String] {
    let folder = try folder ?? TemporaryFolder()
    do {
        _ = try ConfigurationLoader.load(text: text, folder: folder.path, dotEnv: dotEnv, environment: environment)
        return []
    } catch {
        return error.all.map { $0.description.replacing(folder.path, with: "DIR") }
    }
}
