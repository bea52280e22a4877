import CNGTCP2
import NIOCore

/// Room in which connections write their datagrams one after another, and from which those to the same address leave by
/// one system call, which the kernel cuts into datagrams again (UDP GSO).
///
/// All datagrams of a batch have the size of the first; only the last may be shorter.
final class DatagramBatch {
    /// One system call takes no more than fits into an IP packet.
    static let maximumBytes = 65_000
    /// The kernel's `UDP_MAX_SEGMENTS`.
    static let maximumSegments = 64
    /// In bytes. It takes the largest datagram there is. The system provides only what is used of it.
    private static let capacity = 65_536

    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    private let remote = UnsafeMutablePointer<bridge_address>.allocate(capacity: 1)
    /// The address of this machine that its datagrams leave from; none if the kernel's route decides.
    private let local = UnsafeMutablePointer<bridge_address>.allocate(capacity: 1)
    /// In bytes, of all datagrams together.
    private(set) var count = 0
    private(set) var segments = 0
    private(set) var segmentSize = 0
    private var isFull = false

    init() {
        remote.initialize(to: bridge_address())
        local.initialize(to: bridge_address())
    }

    deinit {
        bytes.deallocate()
        remote.deallocate()
        local.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    /// Where its datagrams go; `nil` if there have been none.
    var address: SocketAddress? { SocketAddress(remote.pointee) }

    /// Whether its datagrams leave from a certain address of this machine.
    var hasSource: Bool { local.pointee.length > 0 }

    /// Where the next datagram may be written.
    var space: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: bytes[count...]) }

    /// Takes in a datagram that was written to `space`.
    /// - Parameter choosesSource: Whether it has to leave from the path's local address.
    /// - Returns: Whether it fits. If not, the batch has to leave first, with `leave(keeping:)`.
    func append(_ size: Int, to address: bridge_quic_path, choosesSource: Bool = false) -> Bool {
        if count == 0 {
            bridge_address_set(remote, address.remote, address.remote_length)
            bridge_address_set(local, address.local, choosesSource ? address.local_length : 0)
            segmentSize = size
        } else {
            guard !isFull, size <= segmentSize, segments < Self.maximumSegments, count + size <= Self.maximumBytes,
                bridge_address_equals(remote, address.remote, address.remote_length),
                !choosesSource || bridge_address_equals(local, address.local, address.local_length)
            else { return false }
            isFull = size < segmentSize
        }
        count += size
        segments += 1
        return true
    }

    /// Nothing joins the last datagram, because the system may find that one too large and refuse the whole batch.
    func end() {
        isFull = true
    }

    /// Empties the batch.
    /// - Parameter size: The size of a datagram that was written to `space` and did not fit. It begins at `space` then.
    func leave(keeping size: Int = 0) {
        if size > 0, let start = bytes.baseAddress { start.copyMemory(from: start + count, byteCount: size) }
        (count, segments, isFull) = (0, 0, false)
    }

    /// Takes in a copy of a datagram that belongs to no connection.
    /// - Precondition: The batch is empty.
    /// - Parameter source: The address of this machine that it has to leave from; `nil` to leave that to the route.
    /// - Returns: False if the address is none, or the datagram larger than any.
    func put(_ datagram: ByteBuffer, to address: SocketAddress, from source: SocketAddress? = nil) -> Bool {
        remote.pointee = bridge_address(address)
        local.pointee = source.map { bridge_address($0) } ?? bridge_address()
        guard remote.pointee.length > 0, datagram.readableBytes <= Self.maximumBytes else { return false }
        datagram.withUnsafeReadableBytes { bytes.copyMemory(from: $0) }
        (count, segments, segmentSize, isFull) = (datagram.readableBytes, 1, datagram.readableBytes, true)
        return true
    }

    /// Sends the datagrams by one system call.
    func send(by descriptor: CInt) -> SendOutcome {
        let segment = segments > 1 ? UInt16(truncatingIfNeeded: segmentSize) : 0
        return SendOutcome(error: bridge_datagrams_send(descriptor, local, remote, bytes.baseAddress, count, segment))
    }

    /// Sends each datagram by a system call of its own.
    /// - Returns: What became of the first and of the last one.
    func sendSingly(by descriptor: CInt) -> (first: SendOutcome, last: SendOutcome) {
        let outcomes = stride(from: 0, to: count, by: max(segmentSize, 1)).map { start in
            let end = min(start + segmentSize, count)
            let datagram = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            return SendOutcome(
                error: bridge_datagrams_send(descriptor, local, remote, datagram.baseAddress, datagram.count, 0))
        }
        return (outcomes.first ?? .sent, outcomes.last ?? .sent)
    }

    /// Datagrams that left the batch and come back to it later.
    struct Parcel {
        fileprivate let bytes: ByteBuffer
        fileprivate let remote: bridge_address
        fileprivate let local: bridge_address
        fileprivate let segments: Int
        fileprivate let segmentSize: Int
    }

    /// A copy of the datagrams, with where they go and where they leave from.
    var parcel: Parcel {
        Parcel(
            bytes: ByteBuffer(bytes: bytes.prefix(count)), remote: remote.pointee, local: local.pointee,
            segments: segments, segmentSize: segmentSize)
    }

    /// Takes in what ``parcel`` was. Nothing joins it.
    /// - Precondition: The batch is empty.
    func put(_ parcel: Parcel) {
        (remote.pointee, local.pointee) = (parcel.remote, parcel.local)
        parcel.bytes.withUnsafeReadableBytes { bytes.copyMemory(from: $0) }
        (count, segments, segmentSize) = (parcel.bytes.readableBytes, parcel.segments, parcel.segmentSize)
        isFull = true
    }

    /// A copy of the datagrams, for SwiftNIO to send, which leaves their source to the route; `nil` if their address is
    /// none.
    var envelope: AddressedEnvelope<ByteBuffer>? {
        guard let address else { return nil }
        let data = ByteBuffer(bytes: bytes.prefix(count))
        guard segments > 1 else { return AddressedEnvelope(remoteAddress: address, data: data) }
        let metadata = AddressedEnvelope<ByteBuffer>.Metadata(
            ecnState: .transportNotCapable, packetInfo: nil, segmentSize: segmentSize)
        return AddressedEnvelope(remoteAddress: address, data: data, metadata: metadata)
    }
}
