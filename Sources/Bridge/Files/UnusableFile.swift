/// A file that the configuration names cannot be used.
package struct UnusableFile: Error, Sendable, Equatable, CustomStringConvertible {
    /// The configuration key that names the file, such as `uplink.ca`.
    package let key: String
    package let path: String
    /// What is wrong with the file, and what would be right.
    package let why: String

    package var description: String { "\(key): \(path): \(why)" }
}
