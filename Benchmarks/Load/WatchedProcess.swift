/// A process to report on.
package struct WatchedProcess: Sendable, Equatable {
    package var name: String
    package var pid: Int32

    package init(name: String, pid: Int32) {
        self.name = name
        self.pid = pid
    }
}
