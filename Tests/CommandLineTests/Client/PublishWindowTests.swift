import Testing

@testable import mqtt_quic_bridge

struct PublishWindowTests {
    private static let bytes = 16_777_216

    /// What `pub -l` may have on its way before it reads the next line.
    @Test(arguments: [(1_048_576, 16), (1_048_577, 15), (1, 20), (16_777_216, 1), (16_777_217, 1), (268_435_455, 1)])
    func room(size: Int, count: Int) {
        var window = PublishWindow(messages: 20, bytes: Self.bytes)
        while window.hasRoom(for: size), window.count < 100 { window.sent(size) }
        #expect(window.count == count)
        window.settled(size)
        #expect(window.hasRoom(for: size))
    }

    @Test func aLongMessageWaitsForAllOthers() {
        var window = PublishWindow(messages: 20, bytes: Self.bytes)
        window.sent(1)
        window.sent(2)
        window.settled(1)
        #expect(!window.hasRoom(for: Self.bytes) && window.hasRoom(for: Self.bytes - 2))
        window.settled(2)
        #expect(window.hasRoom(for: Self.bytes) && window.used == 0)
    }
}
