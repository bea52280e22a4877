import BridgeCore
import Logging
import QUICTransport
import TLSTransport

/// How connections to the broker are made under one configuration, and what all event loops have to agree about
/// meanwhile. A reload that changes any of it makes another one; the connections that stand keep the one that they were
/// made with.
final class UplinkSettings: Sendable {
    let configuration: BridgeConfiguration
    let tls: QUICTLSContext
    let tickets: TicketStore
    let upstream: Upstream
    /// The TLS side of `uplink.fallback`; `nil` if there is no fallback to use.
    let fallback: TLSClientContext?
    let stockShares: StockShares
    let chosenMapping: ChosenMapping

    /// Reads the files that the configuration names, and throws what is wrong with them.
    ///
    /// - Parameter previous: The settings that these replace. Tickets that are still valid are taken over.
    init(
        _ configuration: BridgeConfiguration, after previous: UplinkSettings?, probing: WayChoice.Probing,
        logger: Logger
    ) throws {
        let uplink = configuration.uplink
        self.configuration = configuration
        self.upstream = Upstream(uplink, probing: probing, logger: logger)
        // This comes before all others that read these files, because its errors say best what is wrong with them.
        self.tls = try QUICTLSContext.client(uplink)
        self.fallback = try uplink.usableFallback.map { try TLSClientContext($0, uplink) }
        self.tickets = TicketStore(uplink, trust: tls.trust, after: previous?.tickets, logger: logger)
        self.stockShares = StockShares(total: uplink.warm, loops: configuration.threads)
        self.chosenMapping = previous?.chosenMapping ?? ChosenMapping()
    }
}

extension BridgeConfiguration {
    /// Whether connections to the broker are made in the same way under both configurations, apart from the contents of
    /// files.
    func makesTheSameConnections(as other: BridgeConfiguration) -> Bool {
        limits.sessionBuffer == other.limits.sessionBuffer && uplink.withoutHold == other.uplink.withoutHold
    }
}

extension UplinkConfiguration {
    /// What happens after a connection was lost does not matter for how it is made.
    fileprivate var withoutHold: UplinkConfiguration {
        var uplink = self
        uplink.onLoss = .hold
        uplink.hold = HoldConfiguration()
        return uplink
    }
}
