import BridgeCore
import NIOCore
import NIOPosix
import TLSTransport

/// Makes one TLS connection to the fallback (`uplink.fallback`), sends no MQTT on it, and reports how long that took.
package enum FallbackProbe {
    /// Returns the time from the DNS lookup to the verified broker, or `nil` if no fallback is configured. Throws why
    /// the connection could not be made, in words for the operator.
    package static func run(_ configuration: BridgeConfiguration) async throws -> Duration? {
        guard let fallback = configuration.uplink.fallback else { return nil }
        let context = try TLSClientContext(fallback, configuration.uplink)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let eventLoop = group.next()
        do {
            let duration = try await eventLoop.flatSubmit {
                FallbackDial.start(context, configuration, on: eventLoop)
            }.get()
            try await group.shutdownGracefully()
            return duration
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }
}

/// One connection of ``FallbackProbe``.
private final class FallbackDial: UplinkCarrierObserver {
    private let promise: EventLoopPromise<Duration>
    private let startedAt = NIODeadline.now()

    private init(on eventLoop: any EventLoop) {
        self.promise = eventLoop.makePromise()
    }

    static func start(
        _ context: TLSClientContext, _ configuration: BridgeConfiguration, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Duration> {
        let dialer = TLSDialer(context, configuration, on: eventLoop)
        let dial = FallbackDial(on: eventLoop)
        let connection = dialer.dial(.unplanned, within: configuration.uplink.connectTimeout, observer: dial)
        // The closure keeps all three alive until there is an outcome.
        return dial.promise.futureResult.assumeIsolated()
            .always { _ in withExtendedLifetime((dialer, dial)) { connection.close() } }
            .nonisolated()
    }

    func carrierReady(_ carrier: any UplinkCarrier, _ readiness: UplinkReadiness) {
        promise.succeed(Duration(NIODeadline.now() - startedAt))
    }

    func carrierFailed(_ carrier: any UplinkCarrier, _ end: UplinkConnectionEnd) {
        promise.fail(TLSFailure(.other, end.why))
    }
}
