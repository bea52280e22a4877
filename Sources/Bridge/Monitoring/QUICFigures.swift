import BridgeCore
import NIOCore
import QUICTransport

/// What the QUIC connections of the program have done, and how their paths are now.
struct QUICFigures: Sendable, Equatable {
    var traffic = QUICTraffic()
    /// Packets with stream data that were declared lost.
    var packetsLost: UInt64 = 0
    var probeTimeouts: UInt64 = 0
    /// In seconds, of connections that have measured it.
    var roundTrip = Spread()
    /// In bytes.
    var congestionWindow = Spread()
    /// In bytes of UDP payload.
    var datagramSize = Spread()

    mutating func add(_ statistics: QUICStatistics) {
        packetsLost += statistics.packetsLost
        probeTimeouts += statistics.probeTimeouts
        // Before that, the rest is only assumed, too.
        guard statistics.minRTT > .zero else { return }
        roundTrip.add(statistics.smoothedRTT.inSeconds)
        congestionWindow.add(Double(statistics.congestionWindow))
        datagramSize.add(Double(statistics.datagramSize))
    }

    static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.traffic = left.traffic + right.traffic
        sum.packetsLost += right.packetsLost
        sum.probeTimeouts += right.probeTimeouts
        sum.roundTrip = left.roundTrip + right.roundTrip
        sum.congestionWindow = left.congestionWindow + right.congestionWindow
        sum.datagramSize = left.datagramSize + right.datagramSize
        return sum
    }
}

/// The counters of ``QUICFigures`` that are found by looking at all connections, as they were last reported. A connection
/// that ends meanwhile may be missed, and counters must not go back.
struct ReportedLosses {
    private var packetsLost: UInt64 = 0
    private var probeTimeouts: UInt64 = 0

    mutating func raise(_ figures: inout QUICFigures) {
        packetsLost = max(packetsLost, figures.packetsLost)
        probeTimeouts = max(probeTimeouts, figures.probeTimeouts)
        figures.packetsLost = packetsLost
        figures.probeTimeouts = probeTimeouts
    }
}

extension DeviceCensus {
    /// How much is looked at in one turn of a loop: a connection, or eight streams of one, count as one.
    private static var share: Int { 128 }

    /// Looks at all connections, in turns between which the loops do their work.
    func quicFigures() async -> QUICFigures {
        var sum = QUICFigures()
        for host in hosts {
            let start = await gate.run(on: host.eventLoop) {
                let sockets = host.value.sockets
                return (sockets.map(\.traffic), sockets.flatMap(\.connectionKeys))
            }
            guard let (traffic, keys) = start else { continue }
            var figures = QUICFigures()
            figures.traffic = traffic.reduce(QUICTraffic(), +)
            figures.packetsLost = figures.traffic.packetsLostBefore
            figures.probeTimeouts = figures.traffic.probeTimeoutsBefore
            var next = 0
            repeat {
                let (before, first) = (figures, next)
                let turn = await gate.run(on: host.eventLoop) {
                    var figures = before
                    let next = host.value.look(at: keys[first...], Self.share) { figures.add($0) }
                    if next == keys.count { host.value.reportedLosses.raise(&figures) }
                    return (figures, next)
                }
                guard let turn, !Task.isCancelled else { break }
                (figures, next) = turn
            } while next < keys.count
            sum = sum + figures
        }
        return sum
    }
}

extension MonitoredHost {
    /// Looks at connections until `share` is used up. Returns the index of the first one that was not looked at.
    fileprivate func look(
        at keys: ArraySlice<ObjectIdentifier>, _ share: Int, _ body: (QUICStatistics) -> Void
    ) -> Int {
        var left = share
        let sockets = sockets
        for (index, key) in zip(keys.indices, keys) {
            guard left > 0 else { return index }
            left -= 1
            for socket in sockets {
                guard let found = socket.look(at: key) else { continue }
                left -= found.streams / 8
                body(found.statistics)
                break
            }
        }
        return keys.endIndex
    }
}
