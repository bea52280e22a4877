import CNGTCP2
import NIOCore
import NIOPosix
import Testing

@testable import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite struct DatagramBatchTests {
    private let batch = DatagramBatch()

    /// Writes a datagram and has the batch take it in.
    private func append(_ size: Int, _ byte: UInt8 = 7, port: Int = 1) throws -> Bool {
        batch.space.prefix(size).withMemoryRebound(to: UInt8.self) { $0.update(repeating: byte) }
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        return withPath(local: address, remote: address) { batch.append(size, to: $0) }
    }

    @Test func equalSizesJoinAndAShorterOneEndsTheBatch() throws {
        #expect(try append(1_200))
        #expect(try append(1_200))
        #expect(try append(300))
        #expect(try !append(300))
        let envelope = try #require(batch.envelope)
        #expect(envelope.remoteAddress == (try SocketAddress(ipAddress: "127.0.0.1", port: 1)))
        #expect(envelope.metadata?.segmentSize == 1_200)
        #expect(envelope.data.readableBytes == 2_700)
    }

    @Test func aLargerDatagramDoesNotFit() throws {
        #expect(try append(1_200))
        #expect(try !append(1_201))
        #expect(batch.envelope?.metadata == nil)
    }

    @Test func nothingJoinsWhatMayBeTooLarge() throws {
        #expect(try append(1_452))
        batch.end()
        #expect(try !append(100))
        batch.leave(keeping: 100)
        #expect(try append(100))
    }

    @Test func anotherAddressDoesNotFit() throws {
        #expect(try append(100, port: 1))
        #expect(try !append(100, port: 2))
    }

    @Test func theKernelsLimitsHold() throws {
        while try append(100) {}
        #expect(batch.segments == DatagramBatch.maximumSegments)
        batch.leave()
        while try append(1_452) {}
        #expect(batch.count <= DatagramBatch.maximumBytes)
        #expect(batch.count + 1_452 > DatagramBatch.maximumBytes)
    }

    @Test func oneThatDoesNotFitBeginsTheNextBatch() throws {
        #expect(try append(100, 1))
        #expect(try !append(200, 2))
        batch.leave(keeping: 200)
        #expect(batch.isEmpty)
        let address = try SocketAddress(ipAddress: "::1", port: 2)
        #expect(withPath(local: address, remote: address) { batch.append(200, to: $0) })
        let envelope = try #require(batch.envelope)
        #expect(envelope.remoteAddress == address)
        #expect(envelope.data == ByteBuffer(repeating: 2, count: 200))
    }

    @Test func whatTheSystemDoesNotTakeStays() throws {
        #expect(try append(100))
        #expect(batch.send(by: -1) == .notNow)
        #expect(batch.envelope?.data.readableBytes == 100)
    }

    @Test func whatTheSystemRefusesSaysNothingAboutTheSocket() throws {
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        #expect(batch.put(ByteBuffer(string: "x"), to: try SocketAddress(ipAddress: "127.0.0.1", port: 0)))
        #expect(batch.send(by: descriptor) == .refused(EINVAL))
        batch.leave()
        #expect(batch.put(ByteBuffer(string: "x"), to: try SocketAddress(ipAddress: "127.0.0.1", port: 9)))
        #expect(batch.send(by: descriptor) == .sent)
        let path = try SocketAddress(unixDomainSocketPath: "/x")
        batch.leave()
        #expect(!batch.put(ByteBuffer(string: "x"), to: path))
        #expect(!batch.put(ByteBuffer(repeating: 1, count: 70_000), to: try SocketAddress(ipAddress: "::1", port: 9)))
    }

    /// A wildcard socket sends from the address that it is told, with and without segmentation, and one by one.
    @Test(arguments: [
        ("0.0.0.0", "127.0.0.1", "127.0.0.2"), ("0.0.0.0", "127.0.0.1", "127.0.0.3"),
        ("::", "::ffff:127.0.0.1", "::ffff:127.0.0.2"), ("::", "::1", "::1"),
    ])
    func theSourceIsChosen(wildcard: String, remote: String, source: String) throws {
        guard let receiver = UDPSocket(remote), let sender = UDPSocket(wildcard) else {
            return print("no IPv6 on this machine")
        }
        let local = try SocketAddress(ipAddress: source, port: 1)
        #expect(batch.put(ByteBuffer(string: "x"), to: receiver.address, from: local))
        #expect(batch.hasSource)
        #expect(batch.send(by: sender.descriptor) == .sent)
        #expect(receiver.sender() == source)
        batch.leave()
        for size in [500, 500, 20] {
            #expect(
                withPath(local: local, remote: receiver.address) { batch.append(size, to: $0, choosesSource: true) })
        }
        if System.supportsUDPSegmentationOffload {
            #expect(batch.send(by: sender.descriptor) == .sent)
            #expect((0..<3).map { _ in receiver.sender() } == [source, source, source])
        }
        let parcel = batch.parcel
        batch.leave()
        batch.put(parcel)
        #expect(batch.sendSingly(by: sender.descriptor) == (.sent, .sent))
        #expect((0..<3).map { _ in receiver.sender() } == [source, source, source])
    }

    /// Nobody is told why: what cannot leave is lost, as on any path.
    @Test func anAddressThatIsNotThisMachinesIsRefused() throws {
        let sender = try #require(UDPSocket("0.0.0.0"))
        let remote = try SocketAddress(ipAddress: "127.0.0.1", port: 9)
        let gone = try SocketAddress(ipAddress: "192.0.2.1", port: 9)
        #expect(batch.put(ByteBuffer(string: "x"), to: remote, from: gone))
        // EINVAL from older versions of Linux.
        let refusals: [SendOutcome] = [.refused(ENETUNREACH), .refused(EINVAL)]
        #expect(refusals.contains(batch.send(by: sender.descriptor)))
        batch.leave()
        for _ in 0..<2 {
            #expect(withPath(local: gone, remote: remote) { batch.append(100, to: $0, choosesSource: true) })
        }
        let outcomes = batch.sendSingly(by: sender.descriptor)
        #expect(refusals.contains(outcomes.first) && outcomes.last == outcomes.first)
        batch.leave()
        // A wildcard is no source: the route decides.
        #expect(batch.put(ByteBuffer(string: "x"), to: remote, from: try SocketAddress(ipAddress: "0.0.0.0", port: 9)))
        #expect(batch.send(by: sender.descriptor) == .sent)
    }

    @Test func anotherSourceDoesNotFit() throws {
        let remote = try SocketAddress(ipAddress: "127.0.0.1", port: 9)
        let locals = try ["127.0.0.1", "127.0.0.2"].map { try SocketAddress(ipAddress: $0, port: 1) }
        func append(_ local: SocketAddress, _ choosesSource: Bool) -> Bool {
            withPath(local: local, remote: remote) { batch.append(100, to: $0, choosesSource: choosesSource) }
        }
        #expect(append(locals[0], true))
        #expect(append(locals[0], true))
        #expect(!append(locals[1], true))
        batch.leave()
        #expect(append(locals[0], false))
        #expect(!batch.hasSource)
        #expect(append(locals[1], false))
    }

    @Test func datagramsCanGoOneByOne() async throws {
        let sender = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        let receiver = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        defer { for descriptor in [sender, receiver] { close(descriptor) } }
        let any = try SocketAddress(ipAddress: "127.0.0.1", port: 0)
        #expect(any.withSockAddr { bind(receiver, $0, socklen_t($1)) } == 0)
        var bound = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &bound) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(receiver, $0, &length) }
        }
        let port = Int(UInt16(bigEndian: bound.sin_port))
        for size in [500, 500, 20] { #expect(try append(size, UInt8(size % 251), port: port)) }
        #expect(batch.sendSingly(by: sender) == (.sent, .sent))
        var room = [UInt8](repeating: 0, count: 2_000)
        for size in [500, 500, 20] {
            #expect(recv(receiver, &room, room.count, 0) == size)
            #expect(room.first == UInt8(size % 251))
        }
    }
}

/// A UDP socket that is bound to an address, with a port of the kernel's choice.
private final class UDPSocket {
    let descriptor: CInt
    let address: SocketAddress

    /// `nil` if this machine does not have the address.
    init?(_ host: String) {
        guard let any = try? SocketAddress(ipAddress: host, port: 0) else { return nil }
        let descriptor = socket(any.protocol == .inet ? AF_INET : AF_INET6, CInt(SOCK_DGRAM.rawValue), 0)
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let bound: SocketAddress? = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard descriptor >= 0, any.withSockAddr({ bind(descriptor, $0, socklen_t($1)) }) == 0,
                    getsockname(descriptor, address, &length) == 0
                else { return nil }
                return SocketAddress(address)
            }
        }
        guard let bound else {
            if descriptor >= 0 { close(descriptor) }
            return nil
        }
        (self.descriptor, address) = (descriptor, bound)
        var patience = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        close(descriptor)
    }

    /// Who sent the next datagram; `nil` if none comes.
    func sender() -> String? {
        var room = [UInt8](repeating: 0, count: 2_000)
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard recvfrom(descriptor, &room, room.count, 0, address, &length) >= 0 else { return nil }
                return SocketAddress(address)?.ipAddress
            }
        }
    }
}
