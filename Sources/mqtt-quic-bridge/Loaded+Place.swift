import Bridge
import BridgeConfig

extension Loaded {
    /// Describes an error. If it is about a file, the place where the configuration names that file comes first.
    func place(_ error: any Error) -> String {
        guard let file = error as? UnusableFile, let origin = origins[file.key] else { return "\(error)" }
        return "\(origin): \(file)"
    }
}
