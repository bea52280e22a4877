import NIOCore
import Testing

@testable import QUICTransport

@Suite struct EventQueueTests {
    private let first = QUICStreamID(rawValue: 0)
    private let second = QUICStreamID(rawValue: 4)

    private func drain(_ queue: EventQueue) -> [QUICEvent] {
        var events: [QUICEvent] = []
        while let event = queue.popFirst() {
            events.append(event)
        }
        return events
    }

    private func append(_ text: String, _ id: QUICStreamID, fin: Bool = false, to queue: EventQueue) {
        ByteBuffer(string: text).withUnsafeReadableBytes { queue.append($0, fin: fin, of: id) }
    }

    @Test func neighbouringDataIsPutTogether() {
        let queue = EventQueue()
        append("ab", first, to: queue)
        append("cd", first, fin: true, to: queue)
        append("ef", second, to: queue)
        queue.append(.streamsAvailable)
        append("gh", second, to: queue)
        #expect(
            drain(queue) == [
                .streamData(first, ByteBuffer(string: "abcd"), fin: true),
                .streamData(second, ByteBuffer(string: "ef"), fin: false),
                .streamsAvailable,
                .streamData(second, ByteBuffer(string: "gh"), fin: false),
            ])
    }

    @Test func whatWasTakenDoesNotChange() {
        let queue = EventQueue()
        append("ab", first, to: queue)
        let taken = queue.popFirst()
        append("cd", first, to: queue)
        #expect(taken == .streamData(first, ByteBuffer(string: "ab"), fin: false))
        #expect(queue.popFirst() == .streamData(first, ByteBuffer(string: "cd"), fin: false))
    }

    @Test func acknowledgementsOfAStreamAreSummedUp() {
        let queue = EventQueue()
        for bytes in [1, 2, 3] {
            queue.appendDrained(bytes, of: first)
        }
        queue.appendDrained(9, of: second)
        #expect(drain(queue) == [.streamDrained(first, bytes: 6), .streamDrained(second, bytes: 9)])
    }

    @Test func nothingComesAfterTheEnd() {
        let queue = EventQueue()
        append("last words", first, to: queue)
        queue.end(.statelessReset)
        queue.append(.streamsAvailable)
        append("more", first, to: queue)
        queue.end(.peerCertificateMissing)
        #expect(
            drain(queue) == [
                .streamData(first, ByteBuffer(string: "last words"), fin: false), .closed(.statelessReset),
            ])
    }
}
