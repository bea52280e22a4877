import BridgeCore
import MQTTCodec
import QUICTransport

extension UplinkLoss {
    /// The application error code by which EMQX says that it is overloaded and that clients should retry later.
    static let overloaded: UInt64 = 2

    /// The code by which a server says that it shuts down, so that clients should connect to another one.
    static let goElsewhere = ServeCode.goElsewhere

    /// What the end of a QUIC connection means for the MQTT session on it.
    ///
    /// EMQX closes with 0 (it stops), 1 (control stream down) and 2 (overloaded); the draft "MQTT over QUIC" signals
    /// MQTT reason codes as 0x300 + code.
    init(_ error: QUICError) {
        switch error {
        case .applicationClosed(code: 0, _):
            self = .closed(description: "\(error)")
        case .applicationClosed(let code, _):
            self.init(applicationCode: code, description: "\(error)")
        default:
            self = .network(description: "\(error)")
        }
    }

    /// The broker reset the stream.
    ///
    /// - Parameter isNewDataStream: Whether it is a data stream on which nothing has come.
    init(resetCode code: UInt64, isNewDataStream: Bool = false) {
        let description = "the broker reset the stream with code \(code)"
        if code == ServeCode.none, isNewDataStream {
            self = .dataStreamRefused(description: description)
        } else {
            self.init(applicationCode: code, description: description)
        }
    }

    private init(applicationCode code: UInt64, description: String) {
        switch code {
        case Self.overloaded:
            self = .network(description: description)
        case 0x300...0x3FF:
            let reason = ReasonCode(rawValue: UInt8(truncatingIfNeeded: code))
            let isBusy = [.serverUnavailable, .serverBusy, .serverShuttingDown].contains(reason)
            self =
                isBusy
                ? .network(description: description)
                : .byBroker(reasonCode: reason.isError ? reason.rawValue : nil, description: description)
        default:
            self = .byBroker(reasonCode: nil, description: description)
        }
    }
}
