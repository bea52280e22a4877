import NIOCore

/// A datagram that any QUIC server answers without keeping anything of it: a long header of a version that no server
/// speaks is answered with Version Negotiation (RFC 9000 5.2.2, 6.1).
///
/// A probe belongs to no connection and cannot disturb any. Both connection IDs are 16 random bytes, and the answer
/// carries both: without seeing the probe, it cannot be forged.
struct PathProbe {
    /// The least size in bytes of a client's first datagram (RFC 9000 14.1). Smaller ones are not answered.
    static let length = 1_200
    private static let idLength = 16

    let remote: SocketAddress
    private let destination: [UInt8]
    private let source: [UInt8]
    /// `0x?a?a?a?a`: a version that is reserved so that nothing speaks it (RFC 9000 15).
    private let version: UInt32

    init(to remote: SocketAddress) {
        self.remote = remote
        destination = Self.randomBytes(Self.idLength)
        source = Self.randomBytes(Self.idLength)
        version = .random(in: .min ... .max) & 0xF0F0_F0F0 | 0x0A0A_0A0A
    }

    /// The probe. It looks like a version 1 Initial, because some servers parse a packet before they look at its
    /// version.
    var datagram: ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: Self.length)
        bytes.writeInteger(0xC0 | UInt8.random(in: 0...0x0F))
        bytes.writeInteger(version)
        bytes.writeInteger(UInt8(destination.count))
        bytes.writeBytes(destination)
        bytes.writeInteger(UInt8(source.count))
        bytes.writeBytes(source)
        bytes.writeInteger(UInt8(0))
        let rest = Self.length - bytes.writerIndex - 2
        bytes.writeInteger(UInt16(0x4000 | rest))
        bytes.writeBytes(Self.randomBytes(rest))
        return bytes
    }

    /// Whether the datagram is the answer (RFC 9000 17.2.1): version 0, and the connection IDs the other way round.
    func isAnswered(by datagram: ByteBuffer, from sender: SocketAddress) -> Bool {
        guard sender == remote else { return false }
        var rest = datagram
        guard let first = rest.readInteger(as: UInt8.self), first & 0x80 != 0, rest.readInteger(as: UInt32.self) == 0
        else { return false }
        return Self.readID(&rest) == source && Self.readID(&rest) == destination
    }

    private static func readID(_ bytes: inout ByteBuffer) -> [UInt8]? {
        bytes.readInteger(as: UInt8.self).flatMap { bytes.readBytes(length: Int($0)) }
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

/// The probes of an endpoint that wait for an answer.
struct PendingProbes {
    /// More than are ever needed for one upstream's addresses and a round trip of 5 s. The oldest makes room for a new
    /// one.
    static let capacity = 64

    weak var observer: (any QUICProbeObserver)?
    private var probes: [PathProbe] = []

    var count: Int { probes.count }

    mutating func add(_ probe: PathProbe) {
        if probes.count >= Self.capacity { probes.removeFirst() }
        probes.append(probe)
    }

    /// Whether the datagram answers a probe. Then that probe, and the earlier ones to the same address, are finished.
    mutating func take(_ datagram: ByteBuffer, from sender: SocketAddress) -> Bool {
        guard let index = probes.lastIndex(where: { $0.isAnswered(by: datagram, from: sender) }) else { return false }
        let rest = probes[(index + 1)...]
        probes = probes[..<index].filter { $0.remote != sender } + rest
        return true
    }
}

/// Is told of answers to ``QUICEndpoint/probe(_:)``, on the endpoint's event loop.
package protocol QUICProbeObserver: AnyObject {
    /// A QUIC server can be reached at this address.
    func endpoint(_ endpoint: QUICEndpoint, hasAnswerFrom remote: SocketAddress)
}

extension QUICEndpoint {
    /// Is told of answers to ``probe(_:)``. Not retained.
    package var probeObserver: (any QUICProbeObserver)? {
        get { probes.observer }
        set { probes.observer = newValue }
    }

    /// Asks whether a QUIC server can be reached at the address. ``probeObserver`` is told of the answer; if none
    /// comes, nothing happens. Does nothing for addresses of another family.
    package func probe(_ remote: SocketAddress) {
        guard QUICAddressFamily(remote) == family else { return }
        socket.open()
        let probe = PathProbe(to: remote)
        probes.add(probe)
        reply(QUICDatagram(bytes: probe.datagram, local: localAddress, remote: remote, ecn: .transportNotCapable))
    }
}
