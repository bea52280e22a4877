import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Resolves host names on a thread of their own, so that no event loop waits for DNS.
package struct HostResolver: Sendable {
    private let threadPool: NIOThreadPool

    package init(threadPool: NIOThreadPool = .singleton) {
        self.threadPool = threadPool
    }

    /// All addresses of `host`, which may also be an address itself, in the system's order of preference (RFC 6724).
    /// Nothing is cached: each call asks the system again.
    ///
    /// The future fails with ``QUICResolutionError``.
    package func resolve(host: String, port: Int, on eventLoop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        do {
            if let literal = try SocketAddress.numeric(host, port: port) {
                return eventLoop.makeSucceededFuture([literal])
            }
        } catch {
            return eventLoop.makeFailedFuture(QUICResolutionError(host: host, reason: "\(error)"))
        }
        return threadPool.runIfActive(eventLoop: eventLoop) {
            do {
                return try Self.getAddresses(host: host, port: port)
            } catch {
                // The dot of an absolute name is for the DNS: names in /etc/hosts do not have it.
                let relative = host.hasSuffix(".") ? String(host.dropLast()) : ""
                guard !relative.isEmpty, let found = try? Self.getAddresses(host: relative, port: port) else {
                    throw error
                }
                return found
            }
        }
    }

    private static func getAddresses(host: String, port: Int) throws(QUICResolutionError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        guard status == 0, let first = list else {
            throw QUICResolutionError(host: host, reason: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(first) }
        var addresses: [SocketAddress] = []
        for entry in sequence(first: first, next: { $0.pointee.ai_next }) {
            guard var address = SocketAddress(entry.pointee.ai_addr) else { continue }
            address.port = port
            if !addresses.contains(address) { addresses.append(address) }
        }
        guard !addresses.isEmpty else {
            throw QUICResolutionError(host: host, reason: "it has neither an IPv4 nor an IPv6 address")
        }
        return addresses
    }
}

/// A host name that could not be turned into an address.
package struct QUICResolutionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The name that was asked for.
    package let host: String
    /// Why it could not be resolved.
    package let reason: String

    package init(host: String, reason: String) {
        self.host = host
        self.reason = reason
    }

    /// What failed and what to check, in one line for an operator.
    package var description: String {
        host.contains("%")
            ? "the address \(host) cannot be used: \(reason)"
            : "the host name \(host) could not be resolved (\(reason)): check the name and the DNS of this machine"
    }
}
