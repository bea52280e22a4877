import BridgeCore
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Bridge
@testable import QUICTransport

/// What is left of connections after many have come and gone, on real sockets.
@Suite(.mapping(.connection), .timeLimit(.minutes(5)))
struct UplinkDriverTests {
    /// A device that loses its leg repeatedly, with promises for what it is told.
    private final class Device: UplinkLegObserver {
        var leg: UplinkLeg?
        private var answered: EventLoopPromise<Void>?
        private var ended: EventLoopPromise<Void>?

        func connect(_ driver: UplinkDriver, on loop: any EventLoop) -> EventLoopFuture<Void> {
            let promise = loop.makePromise(of: Void.self)
            answered = promise
            leg = driver.connect(keepAlive: nil, observer: self)
            return promise.futureResult
        }

        func end(on loop: any EventLoop) -> EventLoopFuture<Void> {
            let promise = loop.makePromise(of: Void.self)
            ended = promise
            return promise.futureResult
        }

        func leave() {
            leg?.close()
            leg = nil
            answered?.succeed()
            answered = nil
        }

        func uplinkReady(_ limits: GatewayLimits?) { leg?.send(ByteBuffer(string: "CONNECT")) }

        func uplinkReceived(_ bytes: ByteBuffer, isEnd: Bool) {
            leg?.consumed(bytes.readableBytes)
            answered?.succeed()
            answered = nil
        }

        func uplinkUnreachable(_ why: String) { answered?.fail(HarnessError(why)) }

        func uplinkLost(_ loss: UplinkLoss) {
            leg = nil
            ended?.succeed()
            ended = nil
        }

        func uplinkSentAgain() {}
        func uplinkDrained() {}
        func uplinkSilent() {}
        func uplinkAnswered(after silence: Duration) {}
    }

    /// What a test runs on one event loop.
    private struct World {
        let shared: SharedState
        let dialer: QUICDialer
        let driver: UplinkDriver
        let server: QUICEchoServer
    }

    private struct Remains {
        weak var device: Device?
        weak var leg: UplinkLeg?
        weak var connection: QUICCarrier?
        weak var handle: QUICConnectionHandle?

        var isNothing: Bool { device == nil && leg == nil && connection == nil && handle == nil }
    }

    private enum End: CaseIterable {
        case deviceLeft
        case brokerLeft
        case pathDied
        case deviceLeftEarly
    }

    private static func world(
        _ mapping: UplinkConfiguration.Mapping, on loop: any EventLoop
    ) async throws -> (NIOLoopBound<World>, any Channel) {
        let certificates = try await Certificates.make()
        let tls = try QUICTLSContext.server(
            certificateFile: certificates.certificate("server"), keyFile: certificates.key("server"),
            ticketKey: QUICTicketKey(), antiReplay: QUICAntiReplay())
        let alpn = mapping == .mux ? UplinkConfiguration.Mapping.muxProtocol : "mqtt"
        let channel = try await DatagramBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(QUICEchoServer(tls: tls, alpn: alpn))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        var uplink = UplinkConfiguration(
            host: "127.0.0.1", port: try #require(channel.localAddress?.port), caFile: certificates.certificate("ca"),
            mapping: mapping)
        // No device should have to wait in these tests.
        uplink.warm = 0
        uplink.reconnectsPerSecond = 100_000
        let world = try await loop.submit { [uplink] in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let shared = try SharedState(configuration: BridgeConfiguration(uplink: uplink), logger: logger)
            let dialer = QUICDialer(
                configuration: shared.configuration, eventLoop: loop, tls: shared.tls, tickets: shared.tickets,
                news: shared.pathNews, logger: logger)
            let driver = UplinkDriver(
                .devices, shared.generation.uplink, shared: shared, dialer: dialer, eventLoop: loop)
            let server = try channel.pipeline.syncOperations.handler(type: QUICEchoServer.self)
            return NIOLoopBound(
                World(shared: shared, dialer: dialer, driver: driver, server: server), eventLoop: loop)
        }.get()
        return (world, channel)
    }

    private static func close(_ world: NIOLoopBound<World>, _ channel: any Channel) async throws {
        try await channel.eventLoop.submit {
            world.value.driver.retire()
            world.value.driver.close()
            world.value.dialer.shutDown()
        }.get()
        try await channel.close()
    }

    /// Each device breaks the shared connection as soon as it is on it.
    @Test func aSharedConnectionThatBreaksAtOnceIsNotMadeAnewForEver() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let (world, channel) = try await Self.world(.mux, on: loop)
        let start = NIODeadline.now()
        var count = 0
        while NIODeadline.now() - start < .seconds(4) {
            count += 1
            let device = try await loop.submit { NIOLoopBound(Device(), eventLoop: loop) }.get()
            try await loop.flatSubmit { device.value.connect(world.value.driver, on: loop) }.get()
            try await loop.flatSubmit {
                let ended = device.value.end(on: loop)
                (world.value.driver.connections.values.first as? QUICCarrier)?.pathDied("gone")
                world.value.server.forget()
                return ended
            }.get()
        }
        // Each connection comes after a random pause of up to a second. Without it there would be hundreds.
        #expect(count < 40)
        try await Self.close(world, channel)
    }

    @Test func nothingIsLeftOfHundredsOfConnections() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let (world, channel) = try await Self.world(.connection, on: loop)
        let remains = NIOLoopBoundBox.makeBoxSendingValue([Remains](), eventLoop: loop)
        for round in 0..<200 {
            let end = End.allCases[round % End.allCases.count]
            try await Self.once(world, end, remains, on: loop)
        }
        try await loop.submit {
            let driver = world.value.driver
            #expect(driver.connections.isEmpty && driver.plan.isEmpty)
        }.get()
        // Closed connections are kept for three probe timeouts (RFC 9000 10.2).
        let deadline = NIODeadline.now() + .seconds(30)
        var left = Int.max
        while left > 0, NIODeadline.now() < deadline {
            try await Task.sleep(for: .milliseconds(50))
            left = try await loop.submit { remains.value.count { !$0.isNothing } }.get()
        }
        #expect(left == 0)
        try await Self.close(world, channel)
    }

    /// One device connects, is answered, and leaves in that way.
    private static func once(
        _ world: NIOLoopBound<World>, _ end: End, _ remains: NIOLoopBoundBox<[Remains]>, on loop: any EventLoop
    ) async throws {
        let device = try await loop.submit { NIOLoopBound(Device(), eventLoop: loop) }.get()
        let heard = loop.flatSubmit { world.value.server.nextClient(on: loop) }
        let answered = try await loop.flatSubmit {
            let answered = device.value.connect(world.value.driver, on: loop)
            // Its connection is dialed in the next tick, before this runs.
            return loop.submit {
                let connection = world.value.driver.connections.values.first as? QUICCarrier
                #expect(connection != nil)
                remains.value.append(Remains(device: device.value, leg: device.value.leg, connection: connection))
                return answered
            }
        }.get()
        if end == .deviceLeftEarly {
            try await heard.get()
            return try await loop.submit { device.value.leave() }.get()
        }
        try await answered.get()
        try await loop.flatSubmit {
            let connection = remains.value.last?.connection
            remains.value[remains.value.count - 1].handle = connection?.openHandle
            let ended = device.value.end(on: loop)
            switch end {
            case .deviceLeft:
                device.value.leg?.close()
                device.value.uplinkLost(.network(description: ""))
                world.value.server.forget()
            case .brokerLeft: world.value.server.end(0)
            case .pathDied:
                connection?.pathDied("gone")
                world.value.server.forget()
            case .deviceLeftEarly: break
            }
            return ended
        }.get()
    }
}
