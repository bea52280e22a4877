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
        .run, text: text, folder: folder.path, dotEnv: dotEnv, environment: environment, cores: cores)
}

/// The lines that an operator sees; empty if the configuration loads.
func errors(
    _ text: String, dotEnv: String? = nil, environment: [String: String] = [:], folder: TemporaryFolder? = nil
) throws -> [String] {
    let folder = try folder ?? TemporaryFolder()
    do {
        _ = try ConfigurationLoader.load(
            .run, text: text, folder: folder.path, dotEnv: dotEnv, environment: environment)
        return []
    } catch {
        return error.all.map { $0.description.replacing(folder.path, with: "DIR") }
    }
}

/// What every configuration of `serve` needs, in one map.
let minimalServe = "serve: {certificate: ca.pem, key: server.key, broker_host: broker}\n"

extension TemporaryFolder {
    /// A folder that also has a `server.key`.
    static func forServe() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write("server.key", TemporaryFolder.key)
        return folder
    }
}

func loadServe(
    _ text: String, dotEnv: String? = nil, environment: [String: String] = [:], folder: TemporaryFolder? = nil,
    cores: Int = 4
) throws -> LoadedServeConfiguration {
    let folder = try folder ?? .forServe()
    return try ConfigurationLoader.load(
        .serve, text: text, folder: folder.path, dotEnv: dotEnv, environment: environment, cores: cores)
}

func serveErrors(_ text: String, dotEnv: String? = nil, environment: [String: String] = [:]) throws -> [String] {
    let folder = try TemporaryFolder.forServe()
    do {
        _ = try ConfigurationLoader.load(
            .serve, text: text, folder: folder.path, dotEnv: dotEnv, environment: environment)
        return []
    } catch {
        return error.all.map { $0.description.replacing(folder.path, with: "DIR") }
    }
}

extension LoadedConfiguration {
    /// Most configurations in the tests have no routes, which with data-stream causes a warning.
    var warningsBesidesRoutes: [String] { warnings.filter { !$0.contains("without routes every device may") } }
}
