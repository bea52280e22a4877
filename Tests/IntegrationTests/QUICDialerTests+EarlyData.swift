import BridgeCore
import Logging
import NIOCore
import Testing

@testable import Bridge
@testable import QUICTransport

extension QUICDialerTests {
    /// A device that sends CONNECT and something behind it as soon as it can.
    private final class Device: UplinkLegObserver {
        let expected: ByteBuffer
        let answered: EventLoopPromise<Int>
        var leg: UplinkLeg?
        var readyCount = 0
        private var received = ByteBuffer()

        init(expecting bytes: ByteBuffer, on loop: any EventLoop) {
            expected = bytes
            answered = loop.makePromise()
        }

        func uplinkReady(_ limits: GatewayLimits?) {
            readyCount += 1
            leg?.send(ByteBuffer(string: "CONNECT"))
            leg?.send(ByteBuffer(string: "PUBLISH"))
        }

        func uplinkReceived(_ bytes: ByteBuffer, isEnd: Bool) {
            received.writeImmutableBuffer(bytes)
            if received == expected { answered.succeed(readyCount) }
        }

        func uplinkUnreachable(_ why: String) { answered.fail(HarnessError(why)) }
        func uplinkLost(_ loss: UplinkLoss) { answered.fail(HarnessError("\(loss)")) }
        func uplinkSentAgain() {}
        func uplinkDrained() {}
        func uplinkSilent() {}
        func uplinkAnswered(after silence: Duration) {}
    }

    /// CONNECT has gone to an address that does not answer. It goes to the next one, once, and what came behind it too.
    @Test func earlyDataFollowsTheConnection() async throws {
        let world = try await world { $0.zeroRTT = .connect }
        let server = try world.address(world.server)
        let silent = try world.address(world.silent)
        let endpoint = world.endpoint
        let hasTicket = { world.tickets.take(for: endpoint).map { world.tickets.put($0, for: endpoint) } != nil }
        _ = try await dial(world, until: hasTicket) { $0.makeSucceededFuture([server]) }
        let expected = ByteBuffer(string: "CONNECTPUBLISH")
        let state = try await world.loop.submit {
            let dialer = world.dialer(resolve: { $2.makeSucceededFuture([silent, server]) })
            let (owner, device) = (Owner(on: world.loop), Device(expecting: expected, on: world.loop))
            let leg = UplinkLeg(observer: device)
            device.leg = leg
            owner.dial(dialer, endpoint, early: leg)
            return NIOLoopBound((dialer, owner, device), eventLoop: world.loop)
        }.get()
        let port = try await world.loop.flatSubmit { state.value.1.ready.futureResult }.get()
        #expect(port == server.port)
        // Opened once, before anybody had answered.
        #expect(try await world.loop.flatSubmit { state.value.2.answered.futureResult }.get() == 1)
        try await world.loop.submit {
            state.value.1.connection?.close()
            state.value.0.shutDown()
        }.get()
        try await world.close()
    }
}
