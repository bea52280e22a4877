import BridgeCore
import QUICTransport

extension UplinkWay.Failure {
    /// What an error of a QUIC connection, or of its preparation, says about the way to the broker.
    init(_ error: any Error) {
        self.init(ConnectFailure(error))
    }

    init(_ failure: ConnectFailure) {
        self =
            switch failure {
            case .unanswered: .unanswered
            case .network: .network
            case .alpnMismatch: .alpnMismatch
            case .certificate: .certificate
            case .refused: .refused
            case .other: .other
            }
    }
}
