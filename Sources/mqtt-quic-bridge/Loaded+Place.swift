import Bridge
import BridgeConfig

extension Loaded {
    /// An error in words, and where it is about a file, behind the place where the configuration names that file.
    func place(_ error: any Error) -> String {
        guard let file = error as? UnusableFile, let origin = origins[file.key] else { return "\(error)" }
        return "\(origin): \(file)"
    }
}
