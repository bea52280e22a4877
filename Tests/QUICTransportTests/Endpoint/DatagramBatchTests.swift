import NIOCore
import Testing

@testable import QUICTransport

@Suite struct DatagramBatchTests {
    private func remote(_ port: Int = 1) throws -> SocketAddress {
        try SocketAddress(ipAddress: "127.0.0.1", port: port)
    }
    private func datagram(_ size: Int) -> ByteBuffer { ByteBuffer(repeating: 7, count: size) }

    @Test func equalSizesJoinAndAShorterOneEndsTheBatch() throws {
        var batch = DatagramBatch(datagram(1_200), remote: try remote())
        #expect(batch.append(datagram(1_200), remote: try remote()))
        #expect(batch.append(datagram(300), remote: try remote()))
        #expect(!batch.append(datagram(300), remote: try remote()))
        #expect(batch.envelope.metadata?.segmentSize == 1_200)
        #expect(batch.envelope.data.readableBytes == 2_700)
    }

    @Test func aLargerDatagramDoesNotFit() throws {
        var batch = DatagramBatch(datagram(1_200), remote: try remote())
        #expect(!batch.append(datagram(1_201), remote: try remote()))
        #expect(batch.envelope.metadata == nil)
    }

    @Test func anotherAddressDoesNotFit() throws {
        var batch = DatagramBatch(datagram(100), remote: try remote(1))
        #expect(!batch.append(datagram(100), remote: try remote(2)))
    }

    @Test func theKernelsLimitsHold() throws {
        var small = DatagramBatch(datagram(100), remote: try remote())
        while small.append(datagram(100), remote: try remote()) {}
        #expect(small.segments == DatagramBatch.maximumSegments)
        var large = DatagramBatch(datagram(1_452), remote: try remote())
        while large.append(datagram(1_452), remote: try remote()) {}
        #expect(large.bytes.readableBytes <= DatagramBatch.maximumBytes)
        #expect(large.bytes.readableBytes + 1_452 > DatagramBatch.maximumBytes)
    }
}
