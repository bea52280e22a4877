import BenchmarkLoad
import MQTTCodec
import NIOCore
import NIOPosix

/// Opens connections to one address from one network namespace.
final class Dialer {
    private let address: SocketAddress
    private let place: NetworkPlace
    private let eventLoop: any EventLoop

    init(_ address: SocketAddress, from place: NetworkPlace, on eventLoop: any EventLoop) {
        self.address = address
        self.place = place
        self.eventLoop = eventLoop
    }

    /// Calls `completion` on the event loop; `nil` if there is no connection.
    func connect(_ owner: any WireOwner, version: MQTTVersion, _ completion: @escaping (Wire?) -> Void) {
        guard place.enter() else { return completion(nil) }
        ClientBootstrap(group: eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(.seconds(10))
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { result in
                guard case .success(let channel) = result else { return completion(nil) }
                let wire = Wire(version: version, owner: owner)
                do {
                    try channel.pipeline.syncOperations.addHandler(wire)
                } catch {
                    return completion(nil)
                }
                completion(wire)
            }
    }
}
