import BridgeCore
import MQTTQUICClient
import Synchronization

/// What a tool says to the person who runs it, on standard error.
final class ToolConsole: Sendable {
    private let isSilent: Atomic<Bool>
    private let write: @Sendable (String) -> Void

    /// - Parameter isQuiet: `--quiet`: nothing about the connection is said.
    init(isQuiet: Bool = false, write: @escaping @Sendable (String) -> Void = { StandardError.write($0) }) {
        isSilent = Atomic(isQuiet)
        self.write = write
    }

    /// From now on nothing is said. A person who has ended the tool does not want to hear what that has cut short.
    func silence() {
        isSilent.store(true, ordering: .relaxed)
    }

    func error(_ text: String) {
        say("Error: \(text)")
    }

    func warning(_ text: String) {
        say("Warning: \(text)")
    }

    /// - Parameter text: May quote the broker.
    func say(_ text: String) {
        if !isSilent.load(ordering: .relaxed) { write(text.printable + "\n") }
    }

    /// Why the client could not connect, or lost the connection for good.
    func report(_ error: MQTTClientError) {
        switch error {
        // The words that scripts know from mosquitto_pub begin the line.
        case .refused: say("Connection error: \(error)")
        case .cancelled: break
        default: self.error("\(error)")
        }
    }
}
