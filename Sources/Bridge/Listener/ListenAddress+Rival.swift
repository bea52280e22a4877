import BridgeCore
import NIOCore
import QUICTransport

extension ListenAddress {
    /// The first of the other addresses that is the same as this one for the system, which knows an interface by its
    /// number and by its name (`%4`, `%eth0`); `nil` if there is none.
    func rival(among others: some Sequence<ListenAddress>) -> ListenAddress? {
        guard port != 0, let mine = try? SocketAddress.literal(host, port: port) else { return nil }
        return others.first { (try? SocketAddress.literal($0.host, port: $0.port)) == mine }
    }
}
