import CBenchmark
import Glibc
import MQTTCodec
import NIOCore
import NIOPosix

/// Opens connections to one endpoint from one network namespace. Sockets belong to the namespace that the thread is in
/// when it opens them.
final class Connector {
    private let address: SocketAddress
    private let place: NetworkPlace
    private let eventLoop: any EventLoop
    private let version: MQTTVersion
    private let output: OutputBuffer

    /// - Throws: `LoadError` if the endpoint is not an IPv4 address.
    init(
        to endpoint: LoadEndpoint, from place: NetworkPlace, on eventLoop: any EventLoop, version: MQTTVersion,
        output: OutputBuffer
    ) throws(LoadError) {
        do {
            address = try SocketAddress(ipAddress: endpoint.host, port: endpoint.port)
        } catch {
            throw .option("\(endpoint.host) is not an IP address")
        }
        self.place = place
        self.eventLoop = eventLoop
        self.version = version
        self.output = output
    }

    /// Calls `completion` on the event loop; `nil` if there is no connection.
    func connect(_ client: any LoadClient, _ completion: @escaping (Connection?) -> Void) {
        guard place.enter() else { return completion(nil) }
        ClientBootstrap(group: eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(.seconds(30))
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { [version, output] result in
                guard case .success(let channel) = result else { return completion(nil) }
                let connection = Connection(of: client, version: version, output: output)
                do {
                    try channel.pipeline.syncOperations.addHandler(connection)
                } catch {
                    return completion(nil)
                }
                completion(connection)
            }
    }
}

/// A network namespace that the event loop's thread can enter.
final class NetworkPlace {
    /// Which namespace the thread is in.
    final class Whereabouts {
        fileprivate var descriptor: Int32?
    }

    private let descriptor: Int32
    private let whereabouts: Whereabouts

    /// - Parameters:
    ///   - name: As for `ip netns`; `nil` is the namespace that the thread is in now.
    ///   - whereabouts: Shared by all places of a thread.
    init(_ name: String?, _ whereabouts: Whereabouts) throws(LoadError) {
        let descriptor = name.map { cbenchmark_named_namespace($0) } ?? cbenchmark_current_namespace()
        guard descriptor >= 0 else {
            throw .namespace(name ?? "of this process", error: String(cString: strerror(errno)))
        }
        self.descriptor = descriptor
        self.whereabouts = whereabouts
        guard enter() else {
            throw .namespace(name ?? "of this process", error: String(cString: strerror(errno)))
        }
    }

    deinit {
        close(descriptor)
    }

    /// Moves the thread here, unless it is here already.
    func enter() -> Bool {
        if whereabouts.descriptor == descriptor { return true }
        guard cbenchmark_enter_namespace(descriptor) == 0 else { return false }
        whereabouts.descriptor = descriptor
        return true
    }
}
