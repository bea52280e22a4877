import BridgeCore
import NIOCore
import QUICTransport

extension ListenAddress {
    /// Which of the others is the same address once the system has been asked about its zone: an interface has a number
    /// and a name (`%4`, `%eth0`).
    func rival(among others: some Sequence<ListenAddress>) -> ListenAddress? {
        guard port != 0, let mine = try? SocketAddress.literal(host, port: port) else { return nil }
        return others.first { (try? SocketAddress.literal($0.host, port: $0.port)) == mine }
    }
}
