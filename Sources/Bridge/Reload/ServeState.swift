import BridgeCore
import Synchronization

/// The configuration of `serve` that is in force.
final class ServeState: Sendable {
    private struct State {
        var configuration: ServeConfiguration
        var files: FileDigests
        /// `nil` before the service runs and after it has ended.
        var hosts: ServeHosts?
    }

    private let state: Mutex<State>

    /// - Parameter files: The files that the configuration names, as they are.
    init(_ configuration: ServeConfiguration, _ files: FileDigests) {
        self.state = Mutex(State(configuration: configuration, files: files))
    }

    var configuration: ServeConfiguration { state.withLock { $0.configuration } }
    var files: FileDigests { state.withLock { $0.files } }
    var hosts: ServeHosts? { state.withLock { $0.hosts } }

    func adopt(_ configuration: ServeConfiguration, _ files: FileDigests) {
        state.withLock {
            $0.configuration = configuration
            $0.files = files
        }
    }

    /// - Returns: What is in force now.
    func began(_ hosts: ServeHosts) -> ServeConfiguration {
        state.withLock {
            $0.hosts = hosts
            return $0.configuration
        }
    }

    func ended() {
        state.withLock { $0.hosts = nil }
    }
}
