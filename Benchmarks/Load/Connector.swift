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
