/// A file that the configuration names and that cannot be used.
package struct UnusableFile: Error, Sendable, Equatable, CustomStringConvertible {
    /// The key that names it, such as `uplink.ca`.
    package let key: String
    package let path: String
    /// What is wrong with it, and what would be right.
    package let why: String

    package var description: String { "\(key): \(path): \(why)" }
}
