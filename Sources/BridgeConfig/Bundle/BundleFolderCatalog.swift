import BridgeCore
import Synchronization

/// A folder with a folder per bundle, which is looked at again and again.
///
/// A look costs a few `stat` per bundle. A bundle is read when it is new, or when one of its files has changed since it
/// was read and not since the previous look: whoever is still writing it is not disturbed. A bundle whose files can't be
/// read any more keeps the identity that it gave; one whose folder or whose files are gone gives none.
package final class BundleFolderCatalog: BundleCatalog {
    /// Folders beyond these, in the order of their names, are left out.
    package static let maximumCount = 10_000

    private let folder: String
    private let hosts: Set<String>
    private let state = Mutex(State())

    private struct State {
        var items: [String: BundleItem] = [:]
        var leftOut: [BundleBook.Problem] = []
        var hasLooked = false
        var soundAuthorities: [UInt8] = []
    }

    /// - Parameter hosts: The configured brokers.
    package init(_ folder: String, hosts: Set<String>) {
        self.folder = folder
        self.hosts = hosts
    }

    package func following(hosts: Set<String>) -> any BundleCatalog {
        let catalog = BundleFolderCatalog(folder, hosts: hosts)
        var items = state.withLock { $0.items }
        // Without a stamp all of them are read again at the first look.
        for name in items.keys { items[name]?.stamp = nil }
        catalog.state.withLock { $0.items = items }
        return catalog
    }

    /// Throws ``UnreadableBundles``.
    package func look() throws -> BundleBook? {
        // Only one look is under way, because whoever looks waits for the answer.
        let listing = try BundleListing(folder, maximumCount: Self.maximumCount)
        return state.withLock { state in
            var hasChanged = !state.hasLooked || listing.leftOut != state.leftOut
            var items: [String: BundleItem] = [:]
            items.reserveCapacity(listing.names.count)
            for name in listing.names {
                let present = state.items[name]
                let item = look(at: name, present, isFirstLook: !state.hasLooked, sound: &state.soundAuthorities)
                if item.stamp != present?.stamp { hasChanged = true }
                items[name] = item
            }
            // A folder that has not been read yet is no change, whether it has come or is gone.
            if state.items.contains(where: { items[$0.key] == nil && $0.value.stamp != nil }) { hasChanged = true }
            state.items = items
            state.leftOut = listing.leftOut
            state.hasLooked = true
            return hasChanged ? book(listing.names, state) : nil
        }
    }

    /// The paths of the bundles' files of CA certificates that were there at the latest look: one of all those with the
    /// same contents, because usually all are the same.
    package var authorities: [String] {
        state.withLock { state in
            var seen: Set<Int> = []
            return state.items.keys.sorted().compactMap { name in
                guard let digest = state.items[name]?.authorities, seen.insert(digest).inserted else { return nil }
                return PathResolver.resolve("\(name)/\(BundleFile.authorities.rawValue)", in: folder)
            }
        }
    }

    private func look(
        at name: String, _ present: BundleItem?, isFirstLook: Bool, sound: inout [UInt8]
    ) -> BundleItem {
        let path = PathResolver.resolve(name, in: folder)
        let stamp = BundleStamp(path)
        if let present, present.stamp == stamp {
            var item = present
            item.pending = nil
            return item
        }
        guard isFirstLook || present?.pending == stamp else {
            var item = present ?? BundleItem()
            item.pending = stamp
            return item
        }
        var item = BundleItem.read(path, in: folder, hosts: hosts, after: present, sound: &sound)
        item.stamp = stamp
        return item
    }

    private func book(_ names: [String], _ state: State) -> BundleBook {
        var book = BundleBook()
        book.problems = state.leftOut
        for name in names {
            guard let item = state.items[name] else { continue }
            book.problems += item.problems
            guard let deviceID = item.deviceID, let entry = item.entry else { continue }
            if !book.add(deviceID, entry) {
                let path = PathResolver.resolve(name, in: folder)
                let device = TextValue.shortened(deviceID)
                let text = "\(path): is not used, because another bundle is for the same device \"\(device)\""
                book.problems.append(BundleBook.Problem(.duplicate, text))
            }
        }
        return book
    }
}

extension BundleFolderCatalog {
    /// Opens the folder that a configuration of the mode `bundles` names.
    package static let opener: BundleOpener = { BundleFolderCatalog($0, hosts: $1) }
}
