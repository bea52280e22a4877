import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the kernel's refusals to send have taught an endpoint.
final class SendFailures {
    /// Why the kernel took no datagram the last time that it refused one; `nil` if something was received since.
    private(set) var lastError: String?
    private var hasError = false
    /// Whether several datagrams may go out by one write (UDP GSO).
    private(set) var usesSegmentation: Bool

    init(supportsSegmentation: Bool) {
        usesSegmentation = supportsSegmentation
    }

    func received() {
        if hasError { (lastError, hasError) = (nil, false) }
    }

    /// - Returns: Whether segmentation offload has just been found not to work.
    func failed(_ error: IOError, isSegmented: Bool) -> Bool {
        switch error.errnoCode {
        case EMSGSIZE:
            // A probe of path MTU discovery that the interface itself does not take.
            return false
        case EIO, EINVAL, EOPNOTSUPP:
            // Some interfaces refuse segmentation (no checksum offload): every datagram becomes a write of its own.
            guard isSegmented, usesSegmentation else { fallthrough }
            usesSegmentation = false
            return true
        default:
            (lastError, hasError) = (String(cString: strerror(error.errnoCode)), true)
            return false
        }
    }
}
