import Logging
import NIOCore
import NIOPosix
import QUICSimulation
import Testing

@testable import QUICTransport

/// What a client's endpoint does when the network changes, tested over the loopback interface.
@Suite(.timeLimit(.minutes(2)))
struct ClientNetworkTests {
    private func run(_ body: (NIOLoopBound<NetworkWorld>) async throws -> Void) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let world = try await loop.submit { NIOLoopBound(try NetworkWorld(loop), eventLoop: loop) }.get()
        _ = try await loop.flatSubmit { world.value.listener.listen() }.get()
        try await body(world)
        try await loop.flatSubmit {
            world.value.endpoint.flushAndAbandon()
            return world.value.listener.shutDown()
        }.get()
    }

    private func wait(
        _ world: NIOLoopBound<NetworkWorld>, _ act: @escaping @Sendable (NetworkWorld) throws -> Void = { _ in },
        until condition: @escaping @Sendable (NetworkWorld.Client) -> Bool
    ) async throws {
        try await world.eventLoop.flatSubmit {
            do {
                try act(world.value)
                return world.value.client.when { condition($0) }
            } catch {
                return world.eventLoop.makeFailedFuture(error)
            }
        }.get()
    }

    @Test func aServerAnswersProbesWithoutKeepingAnything() async throws {
        try await run { world in
            try await wait(world, { $0.endpoint.probe($0.listener.localAddress) }, until: { $0.answers.count == 1 })
            try await wait(
                world,
                { world in for _ in 0..<10 { world.endpoint.probe(world.listener.localAddress) } },
                until: { !$0.answers.dropFirst().isEmpty })
            let counts = try await world.eventLoop.submit {
                [world.value.listener.connectionCount, world.value.server.handles.count]
            }.get()
            #expect(counts == [0, 0])
        }
    }

    /// As if the system had taken nothing for a while, and SwiftNIO still had datagrams from then.
    @Test func datagramsFollowThoseThatWaitInTheChannel() async throws {
        try await run { world in
            try await wait(world, { try $0.connect() }, until: { $0.events.contains(.handshakeConfirmed) })
            try await wait(
                world,
                { world in
                    world.endpoint.socket.waitingWrites += 1
                    try world.client.write(200_000)
                }, until: { $0.echoed == 200_000 })
            try await wait(
                world,
                { world in
                    #expect(world.endpoint.socket.waitingWrites == 1)
                    world.endpoint.socket.waitingWrites -= 1
                    try world.client.write(10_000)
                }, until: { $0.echoed == 210_000 })
        }
    }

    @Test func whatTheSystemDoesNotTakeGoesThroughTheChannel() async throws {
        try await run { world in
            try await wait(world, { try $0.connect() }, until: { $0.events.contains(.handshakeConfirmed) })
            try await wait(
                world,
                { world in
                    // The endpoint's own number of its socket becomes that of another file, which refuses datagrams.
                    let file = open("/dev/null", O_WRONLY)
                    #expect(dup2(file, world.endpoint.socket.descriptor) >= 0)
                    close(file)
                    try world.client.write(200_000)
                    world.endpoint.flush()
                    #expect(world.endpoint.socket.waitingWrites == 0)
                }, until: { $0.echoed == 200_000 })
        }
    }

    /// The network changes twice in a row, with bytes under way.
    @Test func connectionsMoveToTheNextSocket() async throws {
        try await run { world in
            try await wait(world, { try $0.connect() }, until: { $0.events.contains(.handshakeConfirmed) })
            try await wait(world, { try $0.client.write(10_000) }, until: { $0.echoed == 10_000 })
            let before = try await world.eventLoop.submit { world.value.server.handles.first?.remoteAddress }.get()
            let moved = try await world.eventLoop.flatSubmit { world.value.endpoint.moveAll() }.get()
            #expect(moved == 1)
            try await wait(world, { try $0.client.write(500_000) }, until: { $0.echoed == 510_000 && $0.hasMoved })
            // All of that may have gone before the new path was validated. The peer follows what comes after it; its last
            // datagram may still be one that asks whether the old path works.
            var (after, echoed) = (before, 510_000)
            while after == before {
                try Task.checkCancellation()
                echoed += 10_000
                let next = echoed
                try await wait(world, { try $0.client.write(10_000) }, until: { $0.echoed == next })
                after = try await world.eventLoop.submit { world.value.server.handles.first?.remoteAddress }.get()
            }
            #expect(before != nil && after != nil)
            let isOnNewSocket = try await world.eventLoop.submit {
                world.value.client.handle?.localAddress == world.value.endpoint.socket.label
            }.get()
            #expect(isOnNewSocket)
            try await world.eventLoop.submit {
                world.value.endpoint.forgetUnusedSockets()
                #expect(world.value.endpoint.sockets.old.isEmpty)
            }.get()
            let last = echoed + 10_000
            try await wait(world, { try $0.client.write(10_000) }, until: { $0.echoed == last })
        }
    }

    private struct AlwaysMoves: Error {}

    /// Moves until no connection can migrate, and then acts in the same turn of the loop. A turn on another thread
    /// between two moves would give the connections time to be ready for the next one.
    private func moveUntilRefused(
        _ world: NIOLoopBound<NetworkWorld>, attempts: Int = 100,
        then act: @escaping @Sendable (NetworkWorld) throws -> Void
    ) -> EventLoopFuture<Void> {
        world.value.endpoint.moveAll().flatMap { moved in
            guard moved > 0 else { return world.eventLoop.makeCompletedFuture { try act(world.value) } }
            guard attempts > 1 else { return world.eventLoop.makeFailedFuture(AlwaysMoves()) }
            // The endpoint is still busy with the move that has just been made.
            return world.eventLoop.flatSubmit { moveUntilRefused(world, attempts: attempts - 1, then: act) }
        }
    }

    /// A connection that cannot migrate, because it has only just done so, uses the current socket when its own is
    /// gone.
    @Test func aConnectionThatDoesNotMoveContinues() async throws {
        try await run { world in
            try await wait(world, { try $0.connect() }, until: { $0.events.contains(.handshakeConfirmed) })
            _ = try await world.eventLoop.flatSubmit { world.value.endpoint.moveAll() }.get()
            try await wait(world, { try $0.client.write(10_000) }, until: { $0.echoed == 10_000 && $0.hasMoved })
            // On a busy machine the last move may already be old enough for another one. In a later turn of the loop,
            // the endpoint's own check may have moved the connection.
            try await world.eventLoop.flatSubmit {
                moveUntilRefused(world) { world in
                    for old in world.endpoint.sockets.old { world.endpoint.forget(old) }
                    #expect(world.endpoint.sockets.areSeveral)
                    try world.client.write(100_000)
                }
            }.get()
            try await wait(world, until: { $0.echoed == 110_000 })
        }
    }

    /// A connection is moving when the network changes once more, and both its sockets go: the one that it leaves and the
    /// one that it moves to.
    @Test func aConnectionThatIsMovingContinuesWithoutItsSockets() async throws {
        try await run { world in
            try await wait(world, { try $0.connect() }, until: { $0.events.contains(.handshakeConfirmed) })
            _ = try await world.eventLoop.flatSubmit { world.value.endpoint.moveAll() }.get()
            try await wait(world, { try $0.client.write(10_000) }, until: { $0.echoed == 10_000 && $0.hasMoved })
            // It may move again when the last move is old enough.
            var isMoving = false
            while !isMoving {
                try await Task.sleep(for: .milliseconds(20))
                isMoving = try await world.eventLoop.flatSubmit {
                    world.value.endpoint.moveAll().flatMap { moved in
                        guard moved > 0 else { return world.eventLoop.makeSucceededFuture(false) }
                        world.value.endpoint.flush()
                        return world.value.endpoint.moveAll().flatMapThrowing { _ in
                            let endpoint = world.value.endpoint
                            for old in endpoint.sockets.old { endpoint.forget(old) }
                            // The last datagram was the one that asks whether the new path works.
                            let handle = try #require(world.value.client.handle)
                            #expect(handle.localAddress != handle.connection.localAddressInUse)
                            let local = endpoint.sockets.local(
                                of: handle, receivedOn: endpoint.socket, current: endpoint.socket)
                            #expect(local == handle.connection.localAddressInUse)
                            try world.value.client.write(100_000)
                            return true
                        }
                    }
                }.get()
            }
            try await wait(world, until: { $0.echoed == 110_000 })
        }
    }

    /// All in one turn of the event loop, so that the endpoint's own check cannot close unused sockets between them.
    @Test func oldSocketsAreBounded() async throws {
        try await run { world in
            try await wait(world, { try $0.connect() }, until: { $0.events.contains(.handshakeConfirmed) })
            let (counts, moves) = try await world.eventLoop.submit {
                let endpoint = world.value.endpoint
                var moves: [EventLoopFuture<Int>] = []
                let counts = (0..<3 * ClientSockets.oldCapacity).map { _ in
                    moves.append(endpoint.moveAll())
                    return endpoint.sockets.old.count
                }
                return (counts, moves)
            }.get()
            #expect(counts == (1...3 * ClientSockets.oldCapacity).map { min($0, ClientSockets.oldCapacity) })
            for move in moves { _ = try await move.get() }
            try await wait(world, { try $0.client.write(10_000) }, until: { $0.echoed == 10_000 })
        }
    }

    /// As behind a NAT that has forgotten its mapping: the peer sees another address, and this side knows nothing of it.
    @Test func connectionsContinueFromAnotherPort() async throws {
        try await run { world in
            try await wait(world, { try $0.connect() }, until: { $0.events.contains(.handshakeConfirmed) })
            try await wait(world, { try $0.client.write(10_000) }, until: { $0.echoed == 10_000 })
            for round in 1...3 {
                let before = try await world.eventLoop.submit { world.value.server.handles.first?.remoteAddress }.get()
                try await wait(
                    world,
                    { world in
                        world.endpoint.rebind()
                        try world.client.write(100_000)
                    }, until: { $0.echoed == 10_000 + round * 100_000 && !$0.hasMoved })
                let (after, port) = try await world.eventLoop.submit {
                    (world.value.server.handles.first?.remoteAddress, world.value.endpoint.localPort)
                }.get()
                #expect(before != nil && after != before && after?.port == port)
            }
            #expect(try await world.eventLoop.submit { world.value.endpoint.sockets.old.isEmpty }.get())
        }
    }

    /// A peer to which the system sends nothing costs the connections to other peers neither time nor their port.
    @Test func aPeerWithoutARouteDisturbsNoOther() async throws {
        try await run { world in
            try await wait(world, { try $0.connect() }, until: { $0.events.contains(.handshakeConfirmed) })
            let (port, nowhere, handle) = try await world.eventLoop.submit {
                let nowhere = NIOLoopBound(NetworkWorld.Client(world.eventLoop), eventLoop: world.eventLoop)
                let handle = try world.value.endpoint.connect(
                    to: try SocketAddress(ipAddress: "127.0.0.1", port: 0), serverName: "broker.test",
                    configuration: .test { $0.handshakeTimeout = .seconds(1) },
                    tls: try TestCertificates.shared.client(), observer: nowhere.value)
                world.value.endpoint.probe(try SocketAddress(ipAddress: "127.0.0.1", port: 0))
                let kept = NIOLoopBound(handle, eventLoop: world.eventLoop)
                return (world.value.endpoint.localPort, nowhere, kept)
            }.get()
            try await world.eventLoop.flatSubmit {
                nowhere.value.when { client in
                    client.events.contains { if case .closed(.unreachable) = $0 { true } else { false } }
                }
            }.get()
            try await wait(world, { try $0.client.write(10_000) }, until: { $0.echoed == 10_000 })
            let same = try await world.eventLoop.submit {
                // It lives until here.
                _ = handle.value
                return world.value.endpoint.localPort
            }.get()
            #expect(port != nil && same == port)
        }
    }

    /// While nothing is connected, the network may change unseen.
    @Test func sourceAddressesAreForgottenWithTheLastConnection() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        try await loop.flatSubmit {
            let endpoint: QUICEndpoint
            do {
                endpoint = try QUICEndpoint(eventLoop: loop, family: .ipv4, logger: Logger(label: "test"))
                let remote = try SocketAddress(ipAddress: "127.0.0.1", port: 9)
                endpoint.sockets.noteSource(to: remote)
                #expect(endpoint.sockets.sources.count == 1)
                return endpoint.networkChanged().assumeIsolated().map { moved in
                    #expect(moved == 0)
                    #expect(endpoint.sockets.sources.isEmpty)
                }.nonisolated()
            } catch {
                return loop.makeFailedFuture(error)
            }
        }.get()
    }

    @Test func nothingChangesWhereTheSourceAddressIsTheSame() async throws {
        try await run { world in
            try await wait(world, { try $0.connect() }, until: { $0.events.contains(.handshakeConfirmed) })
            let moved = try await world.eventLoop.flatSubmit { world.value.endpoint.networkChanged() }.get()
            #expect(moved == 0)
            #expect(try await world.eventLoop.submit { world.value.endpoint.sockets.old.isEmpty }.get())
        }
    }

    @Test func anObserverIsAskedOnceAndToldOfEveryDatagram() async throws {
        try await run { world in
            try await wait(world, { try $0.connect() }, until: { $0.events.contains(.handshakeConfirmed) })
            try await wait(world, { try $0.client.write(10_000) }, until: { $0.echoed == 10_000 })
            #expect(try await world.eventLoop.submit { world.value.client.askedToWatch }.get() == 1)
            try await wait(
                world,
                { world in
                    world.client.handle?.isSilent = true
                    world.client.hurryUntilAnswered()
                }, until: { $0.receivedWhileSilent > 0 })
        }
    }
}
