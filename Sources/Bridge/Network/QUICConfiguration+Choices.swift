import BridgeCore
import QUICTransport

extension QUICConfiguration.CongestionControl {
    init(_ choice: CongestionControl) {
        self =
            switch choice {
            case .cubic: .cubic
            case .bbr: .bbr
            }
    }
}

extension QUICConfiguration.SendTwice {
    init(_ choice: SendTwice) {
        self =
            switch choice {
            case .never: .never
            case .retransmissions: .retransmissions
            case .small: .small
            }
    }
}
