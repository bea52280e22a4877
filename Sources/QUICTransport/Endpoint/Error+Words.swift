import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Error {
    /// A description for operators. SwiftNIO's own texts name its calls, and call any failure to connect a reset.
    package var inWords: String {
        if let error = self as? IOError { return String(cString: strerror(error.errnoCode)) }
        if let error = self as? NIOConnectionError {
            return error.connectionErrors.first?.error.inWords ?? "\(error.host) is not known"
        }
        if case .connectTimeout(let limit)? = self as? ChannelError {
            return "no answer within \(Double(limit.nanoseconds) / 1e9) s"
        }
        return "\(self)"
    }
}
