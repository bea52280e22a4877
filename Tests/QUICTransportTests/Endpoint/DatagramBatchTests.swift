import CNGTCP2
import NIOCore
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
