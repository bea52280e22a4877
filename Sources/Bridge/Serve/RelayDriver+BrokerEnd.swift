import BridgeCore
import NIOCore
import QUICTransport

/// Finds out what the end of a session means, if the broker's side ended first.
extension RelayDriver {
    /// Stops counting the session at the broker's address: its end says nothing about the broker.
    func leaveBroker() {
        if let broker { host.pulses.left(broker) }
        broker = nil
    }

    func judgeEnd() {
        guard let broker else {
            return host.broker.look(at: nil) { [weak self] in self?.judged(isBrokerThere: $0) }
        }
        self.broker = nil
        follow(host.pulses.ended(broker), of: broker)
    }

    private func follow(_ verdict: BrokerPulse.Verdict, of broker: SocketAddress) {
        switch verdict {
        case .ownEnd: judged(isBrokerThere: true)
        case .brokerGone: judged(isBrokerThere: false)
        case .look(let wave):
            // Other sessions wait for the result, even if this one ends before it is known.
            host.broker.look(at: broker) { [weak self, pulses = host.pulses] isThere in
                pulses.looked(wave, of: broker, isThere: isThere)
                Self.askAgain(self, wave, of: broker, pulses)
            }
        case .wait(let until, let wave):
            Timer.once(in: until - .now(), on: host.eventLoop) { [weak self, pulses = host.pulses] in
                Self.askAgain(self, wave, of: broker, pulses)
            }
        }
    }

    /// A session that has since ended for another reason does not ask again.
    private static func askAgain(
        _ driver: RelayDriver?, _ wave: Int, of broker: SocketAddress, _ pulses: BrokerPulses
    ) {
        guard let driver, !driver.isOver else { return pulses.forget(wave, of: broker) }
        driver.follow(pulses.judge(wave, of: broker), of: broker)
    }

    private func judged(isBrokerThere: Bool) {
        perform(relay.endJudged(isBrokerThere: isBrokerThere))
    }
}
