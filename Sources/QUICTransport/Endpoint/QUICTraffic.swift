/// What an endpoint has sent and received since it began: plain integers of its event loop.
package struct QUICTraffic: Sendable, Equatable {
    /// Datagrams that were given to the socket.
    package internal(set) var datagramsSent: UInt64 = 0
    /// System calls that sent datagrams, each of them one or more.
    package internal(set) var sendCalls: UInt64 = 0
    /// Datagrams that came from the socket.
    package internal(set) var datagramsReceived: UInt64 = 0
    /// System calls that received datagrams.
    package internal(set) var receiveCalls: UInt64 = 0
    /// How often a connection has moved to another path.
    package internal(set) var pathChanges: UInt64 = 0
    /// Packets with stream data that were declared lost, of connections that are over.
    package internal(set) var packetsLostBefore: UInt64 = 0
    /// See ``QUICStatistics/probeTimeouts``, of connections that are over.
    package internal(set) var probeTimeoutsBefore: UInt64 = 0

    package init() {}

    /// What both endpoints have sent and received together.
    package static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.datagramsSent += right.datagramsSent
        sum.sendCalls += right.sendCalls
        sum.datagramsReceived += right.datagramsReceived
        sum.receiveCalls += right.receiveCalls
        sum.pathChanges += right.pathChanges
        sum.packetsLostBefore += right.packetsLostBefore
        sum.probeTimeoutsBefore += right.probeTimeoutsBefore
        return sum
    }
}

extension QUICEndpoint {
    /// The keys of all connections, to be looked at one after the other with ``look(at:)``.
    package var connectionKeys: [ObjectIdentifier] { connections.handles.map(\.key) }

    /// What is known about a connection; `nil` if it is over. `streams` is how many streams had to be looked at.
    package func look(at key: ObjectIdentifier) -> (statistics: QUICStatistics, streams: Int)? {
        guard let connection = connections[key]?.connection else { return nil }
        return (connection.statistics, connection.streams.count)
    }

    /// The connection is over, and can be asked no more.
    func keepFigures(of connection: QUICConnection) {
        let figures = connection.statistics
        traffic.packetsLostBefore += figures.packetsLost
        traffic.probeTimeoutsBefore += figures.probeTimeouts
    }
}
