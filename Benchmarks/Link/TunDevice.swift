import CBenchmark
import Glibc

/// A network device whose packets this process reads and writes.
final class TunDevice {
    let descriptor: Int32

    /// Creates the device in a network namespace. It disappears when the object does.
    init(_ name: String, namespace: String) throws(LinkError) {
        // The queue is long enough for every burst to reach this process, which counts what it drops.
        descriptor = try inNamespace(namespace) { () throws(LinkError) in
            try systemCall("TUN device \(name)") { cbenchmark_open_tun(name, 20_000) }
        }
    }

    deinit {
        close(descriptor)
    }

    /// Reads one packet into `buffer`.
    /// - Returns: `nil` if there is none.
    func read(_ buffer: UnsafeMutableRawBufferPointer) -> [UInt8]? {
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        guard count > 0 else { return nil }
        return [UInt8](UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }

    /// - Returns: Whether the kernel has taken the packet.
    func write(_ packet: [UInt8]) -> Bool {
        packet.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) == $0.count }
    }
}
