import Logging

/// Follows the users file that is in force: reads it again when it changes, and goes over to another one when the
/// configuration names it.
struct UsersWatch {
    /// The time between two looks at the configuration.
    private static let interval = Duration.seconds(1)

    private let shared: SharedState

    init(_ shared: SharedState) {
        self.shared = shared
    }

    /// Runs until the task is cancelled.
    func run() async {
        guard shared.configuration.uplink.mapping == .dataStream else { return }
        while !Task.isCancelled {
            let users = shared.generation.users
            let following = Task { [shared] in await users?.follow(shared.logger) }
            while users === shared.generation.users, (try? await Task.sleep(for: Self.interval)) != nil {}
            following.cancel()
        }
    }
}
