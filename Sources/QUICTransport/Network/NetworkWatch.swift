import Logging
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Receives the kernel's notifications about this machine's addresses, routes and interfaces (rtnetlink(7)) on a thread
/// of its own. It needs no privileges. On a system without such notifications, timeouts reveal that the network has
/// changed.
package final class NetworkWatch: Sendable {
    /// The maximum length of a message. Longer ones are truncated, and the missing part does not matter.
    private static let bufferSize = 32_768
    /// The multicast groups RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR and _IPV6_ROUTE.
    private static let groups: UInt32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400

    private let descriptor: CInt
    /// The two ends of a pipe: a byte written to it ends the thread.
    private let end: (read: CInt, write: CInt)
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let logger: Logger

    /// `nil` if the kernel sends no notifications; the log says why.
    ///
    /// - Parameter changed: Called on the thread, every 2 s at most, with descriptions of what changed.
    package init?(logger: Logger, changed: @escaping @Sendable ([String]) -> Void) {
        self.logger = logger
        #if os(Linux)
            let descriptor = Self.open()
            var ends: [CInt] = [-1, -1]
            guard descriptor >= 0, pipe(&ends) == 0 else {
                let reason = String(cString: strerror(errno))
                if descriptor >= 0 { close(descriptor) }
                logger.info(
                    "network change notifications are unavailable; relying on timeouts",
                    metadata: ["reason": "\(reason)"])
                return nil
            }
            self.descriptor = descriptor
            self.end = (ends[0], ends[1])
            pool.start()
            pool.submit { [self] state in if state == .active { listen(changed) } }
        #else
            return nil
        #endif
    }

    package func stop() async {
        var byte: UInt8 = 0
        _ = write(end.write, &byte, 1)
        try? await pool.shutdownGracefully()
        for descriptor in [descriptor, end.read, end.write] { close(descriptor) }
    }

    /// Returns the socket, or -1 with `errno` set if that fails.
    private static func open() -> CInt {
        // The arguments are AF_NETLINK, SOCK_RAW and NETLINK_ROUTE.
        let descriptor = socket(16, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return -1 }
        // The fields of struct sockaddr_nl are family, padding, port and groups.
        var address = [UInt8](repeating: 0, count: MemoryLayout<sockaddr>.size)
        address.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: 16, as: UInt16.self)
            bytes.storeBytes(of: groups, toByteOffset: 8, as: UInt32.self)
        }
        let status = address.withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { bind(descriptor, $0.baseAddress, 12) }
        }
        guard status == 0 else {
            let code = errno
            close(descriptor)
            errno = code
            return -1
        }
        return descriptor
    }

    private func listen(_ changed: ([String]) -> Void) {
        var changes = NetworkChanges()
        var buffer = [UInt8](repeating: 0, count: Self.bufferSize)
        while true {
            var descriptors = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: end.read, events: Int16(POLLIN), revents: 0),
            ]
            let wait = changes.due.map { max(($0 - .now()).nanoseconds / 1_000_000 + 1, 0) } ?? -1
            guard poll(&descriptors, 2, CInt(clamping: wait)) >= 0 || errno == EINTR else { return gaveUp() }
            if descriptors[1].revents != 0 { return }
            if descriptors[0].revents != 0, !read(&buffer, into: &changes) { return gaveUp() }
            if let texts = changes.take(at: .now()) { changed(texts) }
        }
    }

    /// Reads one message. Returns `false` if no more will come.
    private func read(_ buffer: inout [UInt8], into changes: inout NetworkChanges) -> Bool {
        let count = recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
        let now = NIODeadline.now()
        guard count >= 0 else {
            switch errno {
            case EINTR, EAGAIN: return true
            case ENOBUFS:
                // The kernel sent notifications faster than this thread read them.
                changes.add(.unknown, interface: nil, at: now)
                return true
            default: return false
            }
        }
        for change in NetworkChange.changes(in: buffer.prefix(count)) {
            changes.add(change, interface: change.interface.flatMap(Self.name), at: now)
        }
        return true
    }

    private func gaveUp() {
        logger.warning(
            "network change notifications have stopped; relying on timeouts from now on",
            metadata: ["reason": "\(String(cString: strerror(errno)))"])
    }

    private static func name(_ interface: UInt32) -> String? {
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard if_indextoname(interface, &name) != nil else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
