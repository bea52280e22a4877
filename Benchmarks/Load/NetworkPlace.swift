import CBenchmark
import Glibc

/// A network namespace that the event loop's thread can enter.
package final class NetworkPlace {
    /// Which namespace the thread is in.
    package final class Whereabouts {
        fileprivate var descriptor: Int32?

        package init() {}
    }

    private let descriptor: Int32
    private let whereabouts: Whereabouts

    /// - Parameters:
    ///   - name: As for `ip netns`; `nil` is the namespace that the thread is in now.
    ///   - whereabouts: Shared by all places of a thread.
    package init(_ name: String?, _ whereabouts: Whereabouts) throws(LoadError) {
        let descriptor = name.map { cbenchmark_named_namespace($0) } ?? cbenchmark_current_namespace()
        guard descriptor >= 0 else {
            throw .namespace(name ?? "of this process", error: String(cString: strerror(errno)))
        }
        self.descriptor = descriptor
        self.whereabouts = whereabouts
        guard let name else {
            // The thread is there, and only root could enter it again.
            whereabouts.descriptor = descriptor
            return
        }
        guard enter() else { throw .namespace(name, error: String(cString: strerror(errno))) }
    }

    deinit {
        close(descriptor)
    }

    /// Moves the thread here, unless it is here already.
    package func enter() -> Bool {
        if whereabouts.descriptor == descriptor { return true }
        guard cbenchmark_enter_namespace(descriptor) == 0 else { return false }
        whereabouts.descriptor = descriptor
        return true
    }
}
