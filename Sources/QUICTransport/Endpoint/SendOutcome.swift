#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the system did with datagrams that a socket was to send.
enum SendOutcome: Equatable {
    case sent
    /// The socket takes no more now, or is none any more. SwiftNIO waits for it, or finds out what has become of it.
    case notNow
    /// It does not take these, for the reason with this error number: there is no route to where they go, the interface
    /// is down, a firewall forbids it. Nothing is wrong with the socket, on which other connections are.
    case refused(CInt)

    /// - Parameter error: 0 or an error number.
    init(error: CInt) {
        switch error {
        case 0: self = .sent
        case EAGAIN, EBADF, ENOTSOCK: self = .notNow
        default: self = .refused(error)
        }
    }
}
