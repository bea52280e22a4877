import NIOCore
import NIOPosix

/// A UDP port that accepts datagrams and never answers, which is what a firewall that drops UDP looks like.
struct UDPSink: Sendable {
    let port: Int
    private let channel: any Channel

    static func start() async throws -> UDPSink {
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0).get()
        return UDPSink(port: channel.localAddress?.port ?? 0, channel: channel)
    }

    /// Starts a sink that exists while `body` runs.
    static func run(_ body: (UDPSink) async throws -> Void) async throws {
        let sink = try await start()
        do {
            try await body(sink)
        } catch {
            try? await sink.channel.close()
            throw error
        }
        try? await sink.channel.close()
    }
}
