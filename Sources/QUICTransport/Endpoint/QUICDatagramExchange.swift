import NIOCore
import Synchronization

/// Carries datagrams from the event loop whose socket received them to the loop that has their connection.
///
/// Every connection ID that an endpoint issues contains the endpoint's index here; see ``ConnectionIDLayout``.
package final class QUICDatagramExchange: Sendable {
    /// How many datagrams may wait for one loop. Others are dropped, and QUIC sends their contents again.
    static let capacity = 256

    /// A datagram on its way to another loop.
    private struct Letter {
        let datagram: ByteBuffer
        let id: QUICConnectionID
        let remote: SocketAddress
        let local: SocketAddress
    }

    /// The endpoint of one loop, and what waits for it.
    private final class Seat: Sendable {
        struct State {
            var letters: [Letter] = []
            var endpoint: NIOLoopBound<Weak>?
        }

        let eventLoop: any EventLoop
        let state = Mutex(State())

        init(eventLoop: any EventLoop) {
            self.eventLoop = eventLoop
        }
    }

    private final class Weak {
        weak var endpoint: QUICEndpoint?

        init(_ endpoint: QUICEndpoint) {
            self.endpoint = endpoint
        }
    }

    private let seats: [Seat]

    /// - Precondition: There are 1 to 256 loops.
    package init(eventLoops: [any EventLoop]) {
        precondition((1...256).contains(eventLoops.count), "one byte tells the loops apart")
        seats = eventLoops.map { Seat(eventLoop: $0) }
    }

    /// The place of the endpoint on the loop with this index.
    package func place(_ index: UInt8) -> Place {
        Place(exchange: self, index: index)
    }

    /// One endpoint's access to the exchange.
    package struct Place: Sendable {
        fileprivate let exchange: QUICDatagramExchange
        /// The index of its event loop, which its connection IDs contain.
        package let index: UInt8

        /// How the loops' sockets share what arrives.
        func steering(_ layout: ConnectionIDLayout) -> LoopSteering {
            LoopSteering(loops: exchange.seats.count, offset: layout.loopOffset)
        }

        func take(_ endpoint: QUICEndpoint) {
            exchange.seat(endpoint, at: index)
        }

        /// - Returns: False if the datagram is this endpoint's own, or no endpoint's.
        func forward(
            _ datagram: ByteBuffer, under id: QUICConnectionID, _ layout: ConnectionIDLayout,
            from remote: SocketAddress, to local: SocketAddress
        ) -> Bool {
            guard id.count == layout.length, let owner = id[layout.loopOffset], owner != index else { return false }
            // The datagram is a part of a large buffer, which must not wait with it.
            let copy = ByteBuffer(bytes: datagram.readableBytesView)
            return exchange.deliver(Letter(datagram: copy, id: id, remote: remote, local: local), to: owner)
        }
    }

    private func seat(_ endpoint: QUICEndpoint, at index: UInt8) {
        guard seats.indices.contains(Int(index)) else { preconditionFailure("no event loop has this index") }
        let seat = seats[Int(index)]
        let bound = NIOLoopBound(Weak(endpoint), eventLoop: seat.eventLoop)
        let isAwaited = seat.state.withLock { state in
            state.endpoint = bound
            return !state.letters.isEmpty
        }
        // Loops start one after another. Only the first letter has the loop collect, so letters that came before this
        // loop had started have to be collected now, or they would keep all later ones waiting.
        if isAwaited { seat.eventLoop.execute { Self.collect(seat, for: bound.value.endpoint) } }
    }

    private func deliver(_ letter: Letter, to index: UInt8) -> Bool {
        guard seats.indices.contains(Int(index)) else { return false }
        let seat = seats[Int(index)]
        let (endpoint, isFirst) = seat.state.withLock { state -> (NIOLoopBound<Weak>?, Bool) in
            guard state.letters.count < Self.capacity else { return (nil, false) }
            state.letters.append(letter)
            return (state.endpoint, state.letters.count == 1)
        }
        if isFirst, let endpoint {
            seat.eventLoop.execute { Self.collect(seat, for: endpoint.value.endpoint) }
        }
        return true
    }

    /// Lets tests check the bound.
    func waitingCount(_ index: Int) -> Int {
        seats[index].state.withLock { $0.letters.count }
    }

    private static func collect(_ seat: Seat, for endpoint: QUICEndpoint?) {
        let letters = seat.state.withLock { state in
            defer { state.letters.removeAll() }
            return state.letters
        }
        guard let endpoint else { return }
        for letter in letters {
            endpoint.receivedForwarded(letter.datagram, under: letter.id, from: letter.remote, to: letter.local)
        }
        endpoint.readBurstEnded()
    }
}
