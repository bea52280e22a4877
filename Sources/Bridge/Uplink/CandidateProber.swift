import BridgeCore
import NIOCore
import QUICTransport

/// Tries the better ways to the broker in the background, as long as a lesser one is in use: a QUIC handshake that carries
/// no CONNECT. There is one for the process, on the event loop that found the lesser one to work.
final class CandidateProber {
    private let upstream: Upstream
    private let dialer: UplinkDialer
    private let configuration: UplinkConfiguration
    private let timer: Timer
    private var probe: (connection: UplinkConnection, candidate: CandidateChoice.Candidate)?
    /// To be tried when that has failed.
    private var rest: ArraySlice<CandidateChoice.Candidate> = []
    private var isStopped = false

    init(
        _ upstream: Upstream, dialer: UplinkDialer, configuration: UplinkConfiguration, on eventLoop: any EventLoop
    ) {
        self.upstream = upstream
        self.dialer = dialer
        self.configuration = configuration
        self.timer = Timer(on: eventLoop)
    }

    /// Something has changed, or is about to begin. True where there is nothing left to do.
    func update() -> Bool {
        guard probe == nil, !isStopped else { return false }
        timer.cancel()
        guard let time = upstream.nextProbe() else { return true }
        timer.arm(at: time) { [weak self] in
            guard let self, !isStopped else { return }
            rest = upstream.takeProbes()[...]
            // Somebody has changed the time meanwhile, and then said so.
            if !rest.isEmpty { tryNext() }
        }
        return false
    }

    func stop() {
        isStopped = true
        timer.cancel()
        if let probe {
            self.probe = nil
            probe.connection.close()
            upstream.probesFailed()
        }
        upstream.proberLeft()
    }

    private func tryNext() {
        guard let candidate = rest.popFirst(), case .quic(let index) = candidate else {
            probe = nil
            upstream.probesFailed()
            _ = update()
            return
        }
        let connection = dialer.dial(
            to: configuration.endpoints[index], within: configuration.handshakeTimeout, keepAlive: nil, owner: self)
        probe = (connection, candidate)
    }
}

extension CandidateProber: UplinkConnectionOwner {
    func connectionReady(_ connection: UplinkConnection) {
        guard let probe, probe.connection === connection else { return }
        self.probe = nil
        connection.close()
        upstream.probeSucceeded(probe.candidate)
        _ = update()
    }

    func connectionFailed(_ connection: UplinkConnection, _ end: UplinkConnectionEnd) {
        guard probe?.connection === connection else { return }
        tryNext()
    }

    func connectionHasRoom(_ connection: UplinkConnection) {}

    func connectionLost(_ connection: UplinkConnection, _ end: UplinkConnectionEnd) {}

    func connectionAbandoned(_ connection: UplinkConnection) {}
}
