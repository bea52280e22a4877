import NIOCore
import Testing

@testable import mqtt_quic_bridge

@Suite struct BenchStampTests {
    private let stamp = BenchStamp(run: 9, due: .uptimeNanoseconds(1_000), device: 3)

    @Test(arguments: [20, 21, 1_000]) func aPayloadHasItsSizeAndItsTime(_ size: Int) {
        let payload = stamp.payload(size: size)
        #expect(payload.readableBytes == size)
        #expect(BenchStamp(payload, now: stamp.due) == stamp)
    }

    @Test func whatIsAnothersIsNotCounted() {
        let payload = stamp.payload(size: 20)
        #expect(BenchStamp(payload, now: .uptimeNanoseconds(999)) == nil)
        for length in 0..<20 {
            #expect(BenchStamp(ByteBuffer(payload.readableBytesView.prefix(length)), now: stamp.due) == nil)
        }
        #expect(BenchStamp(ByteBuffer(string: "something else, and long enough"), now: stamp.due) == nil)
    }
}
