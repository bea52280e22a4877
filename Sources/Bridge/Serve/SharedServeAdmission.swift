import BridgeCore
import Logging
import NIOCore
import QUICTransport
import Synchronization

/// ``ServeAdmission`` for all event loops. The lock is held briefly, when a connection arrives, completes its handshake
/// or ends.
final class SharedServeAdmission: Sendable {
    private struct State {
        var control: ServeAdmission
        var refusals = RefusalTally()
    }

    private let state: Mutex<State>
    private let logger: Logger

    init(configuration: ServeConfiguration, logger: Logger) {
        self.state = Mutex(State(control: ServeAdmission(configuration: configuration, now: .now())))
        self.logger = logger
    }

    func decide(on incoming: QUICIncomingConnection) -> ServeAdmission.Decision {
        let now = NIODeadline.now()
        let address = incoming.remote.unmapped.ipAddress ?? "unknown"
        let (decision, report) = state.withLock { state -> (ServeAdmission.Decision, (Int, String)?) in
            let decision = state.control.decide(
                from: address, isValidated: incoming.isAddressValidated, at: now)
            guard case .refuse(let refusal) = decision, let count = state.refusals.add(at: now) else {
                return (decision, nil)
            }
            return (decision, (count, state.control.describe(refusal)))
        }
        if let (count, reason) = report {
            logger.warning(
                "clients refused",
                metadata: ["count": "\(count)", "peer": "\(address)", "reason": "\(reason)", "leg": "client"])
        }
        return decision
    }

    func adopt(_ configuration: ServeConfiguration) {
        state.withLock { $0.control.adopt(configuration, now: .now()) }
    }

    func joined(from address: String, isValidated: Bool) {
        state.withLock { $0.control.joined(from: address, isValidated: isValidated) }
    }

    func proved() {
        state.withLock { $0.control.proved() }
    }

    func left(from address: String, isProven: Bool) {
        state.withLock { $0.control.left(from: address, isProven: isProven) }
    }
}
