/// Everything that a probe has found out. What it did not get to is `nil`.
package struct ProbeReport: Sendable, Equatable, Encodable {
    /// Where the broker was looked for.
    package struct Target: Sendable, Equatable, Encodable {
        package var host: String
        package var port: Int
        /// The name that the certificate had to have.
        package var serverName: String
        /// The path of the trusted CA certificates.
        package var caFile: String

        package init(host: String, port: Int, serverName: String, caFile: String) {
            self.host = host
            self.port = port
            self.serverName = serverName
            self.caFile = caFile
        }
    }

    package var target: Target
    /// The addresses of the host, in the system's order of preference.
    package var addresses: [String] = []
    package var handshake: HandshakeFinding?
    package var chain: ChainFinding?
    package var parameters: ParametersFinding?
    package var session: SessionFinding?
    package var datagrams: DatagramFinding?
    package var rebind: RebindFinding?
    package var streams: StreamsFinding?
    package var tickets: TicketFinding?
    package var burst: BurstFinding?
    package var fallback: FallbackFinding?
    /// The steps in the order in which they ended.
    package var steps: [ProbeStep] = []
    /// Why the broker cannot be used: the first failure. `nil` if it can.
    package var failure: ProbeFailure?

    private enum CodingKeys: String, CodingKey {
        case target, addresses, handshake, chain, parameters, session, datagrams, rebind, streams, tickets, burst
        case fallback, steps
    }

    package init(target: Target) {
        self.target = target
    }
}
