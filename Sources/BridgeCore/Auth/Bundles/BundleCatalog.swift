import Synchronization

/// A folder with a bundle per device, which is looked at again and again.
package protocol BundleCatalog: Sendable {
    /// Looks at the folder, and reads what is new or has changed since the previous look. Waits for the disk.
    ///
    /// - Returns: The bundles; `nil` if they are as they were.
    /// - Throws: ``UnreadableBundles`` if the folder as a whole can't be read. What is wrong with a single bundle is in
    ///   the book.
    func look() throws -> BundleBook?

    /// Opens the same folder for other brokers. A bundle that is damaged goes on with what it gave here.
    func following(hosts: Set<String>) -> any BundleCatalog
}

/// A folder of bundles that can't be read.
package struct UnreadableBundles: Error, Equatable, CustomStringConvertible {
    package let folder: String
    package let message: String

    package init(folder: String, message: String) {
        self.folder = folder
        self.message = message
    }

    package var description: String { "\(folder): \(message)" }
}

/// Opens the catalog of a folder. Nothing is read yet.
///
/// - Parameters:
///   - folder: Its path.
///   - hosts: The configured brokers. A bundle that names another one gets a warning.
package typealias BundleOpener = @Sendable (_ folder: String, _ hosts: Set<String>) -> any BundleCatalog

/// The bundles in force, for all event loops. The lock is held briefly, when a device connects.
package final class LiveBundles: Sendable {
    private let book: Mutex<BundleBook>

    package init(_ book: BundleBook) {
        self.book = Mutex(book)
    }

    package var current: BundleBook { book.withLock { $0 } }

    /// Puts others in force, for devices that connect from now on.
    package func adopt(_ new: BundleBook) {
        book.withLock { $0 = new }
    }
}
