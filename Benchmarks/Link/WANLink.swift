import Foundation
import Glibc
import Synchronization

/// Two network namespaces that are joined by an emulated link.
///
/// ```
///   edge  10.77.1.1 ── wan0 ── NAT (10.77.3.1, off at first) ── link ── wan0 ── 10.77.2.1  cloud
/// ```
/// Whoever brings it up has to take it down, also if the process ends by a signal. What a killed process leaves is
/// removed when the next link comes up.
package final class WANLink: Sendable {
    package let edge: NetworkNamespace
    package let cloud: NetworkNamespace
    /// Where `bench link control` reaches this link.
    package let controlPath: String
    private let loop: LinkLoop
    private let isUp = Atomic<Bool>(true)

    private static let count = Atomic<Int>(0)

    /// Creates the namespaces and begins to carry packets.
    ///
    /// - Parameters:
    ///   - commands: Commands for the link before the first packet.
    ///   - seed: The seed of the random numbers that choose which packets are lost.
    ///   - mtu: The longest IP packet in bytes.
    ///   - congestionControl: The congestion control of TCP over the link.
    /// - Throws: `LinkError`; nothing is left then.
    package static func up(
        commands: [String] = [], seed: UInt64 = 1, mtu: Int = 1500, congestionControl: String = "cubic"
    ) throws(LinkError) -> WANLink {
        try checkPossible()
        guard (576...65_535).contains(mtu) else { throw .command("mtu: \(mtu) is not within 576 to 65535") }
        NetworkNamespace.removeAbandoned()
        let number = count.wrappingAdd(1, ordering: .relaxed).newValue
        let edge = NetworkNamespace(number: number, end: "edge", address: "10.77.1.1")
        let cloud = NetworkNamespace(number: number, end: "cloud", address: "10.77.2.1")
        let natAddress: UInt32 = 10 << 24 | 77 << 16 | 3 << 8 | 1
        let loop = try LinkLoop(Link(seed: seed, natAddress: natAddress))
        _ = try loop.execute(commands)
        let path = NetworkNamespace.controlPath(number: number)
        do throws(LinkError) {
            try edge.create()
            try cloud.create()
            let edgeDevice = try TunDevice(NetworkNamespace.device, namespace: edge.name)
            let cloudDevice = try TunDevice(NetworkNamespace.device, namespace: cloud.name)
            let control = try ControlSocket(path: path)
            try edge.connect(mtu: mtu, congestionControl: congestionControl)
            try cloud.connect(mtu: mtu, congestionControl: congestionControl)
            loop.start(edge: edgeDevice, cloud: cloudDevice, control: control)
        } catch {
            edge.remove()
            cloud.remove()
            throw error
        }
        return WANLink(edge: edge, cloud: cloud, controlPath: path, loop: loop)
    }

    private init(edge: NetworkNamespace, cloud: NetworkNamespace, controlPath: String, loop: LinkLoop) {
        self.edge = edge
        self.cloud = cloud
        self.controlPath = controlPath
        self.loop = loop
    }

    /// Executes commands, all or, if one of them is wrong, none.
    /// - Returns: What they tell, one line each; `ok` if nothing.
    @discardableResult
    package func control(_ commands: [String]) throws(LinkError) -> String {
        try loop.execute(commands)
    }

    package var statistics: LinkStatistics { loop.statistics }

    /// Stops the link and removes the namespaces. Does nothing the second time.
    package func down() {
        guard isUp.exchange(false, ordering: .acquiringAndReleasing) else { return }
        loop.stop()
        unlink(controlPath)
        edge.remove()
        cloud.remove()
    }

    /// - Throws: `LinkError.notPossible` with what is missing on this machine.
    package static func checkPossible() throws(LinkError) {
        guard geteuid() == 0 else { throw .notPossible("network namespaces need root") }
        let device = open("/dev/net/tun", O_RDWR | O_CLOEXEC)
        guard device >= 0 else {
            throw .notPossible("/dev/net/tun: \(String(cString: strerror(errno))); the link needs TUN devices")
        }
        close(device)
    }
}
