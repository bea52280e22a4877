import TestSupport
import Testing

@testable import BenchmarkLoad

struct UnacknowledgedMessagesTests {
    private static func messages(_ count: UInt32, sent: Int) -> UnacknowledgedMessages {
        var messages = UnacknowledgedMessages()
        for sequence in 0..<count { #expect(messages.append(sequence: sequence, due: Int64(sequence) * 10) == true) }
        for _ in 0..<sent { #expect(messages.takeUnsent() != nil) }
        return messages
    }

    @Test func messagesAreSentInOrderAndEachOnce() {
        var messages = Self.messages(3, sent: 0)
        let sent = (0..<3).compactMap { _ in messages.takeUnsent() }
        #expect(sent.map(\.sequence) == [0, 1, 2])
        #expect(sent.map(\.packetID) == [1, 2, 3])
        #expect(!sent.contains { $0.isRepeated })
        #expect(messages.takeUnsent() == nil)
        #expect(!messages.hasUnsent)
        #expect(messages.inFlight == 3 && messages.count == 3)
    }

    @Test func acknowledgementsComeInAnyOrder() {
        var messages = Self.messages(4, sent: 3)
        #expect(messages.acknowledge(3)?.sequence == 2)
        #expect(messages.acknowledge(1)?.sequence == 0)
        #expect(messages.inFlight == 1 && messages.count == 2)
        #expect(messages.acknowledge(2)?.due == 10)
        #expect(messages.inFlight == 0 && messages.count == 1)
    }

    @Test(arguments: [UInt16(0), 1, 3, 4, 5, 60_000, 60_001, 65_535])
    func anIdentifierThatIsNotOutstandingIsIgnored(_ packetID: UInt16) {
        var messages = Self.messages(4, sent: 2)
        #expect(messages.acknowledge(1) != nil)
        #expect(messages.acknowledge(packetID) == nil)
        #expect(messages.inFlight == 1)
    }

    @Test func aLostConnectionHasEverythingSentAgainWithTheSameIdentifiers() {
        var messages = Self.messages(5, sent: 4)
        #expect(messages.acknowledge(1) != nil)
        #expect(messages.acknowledge(3) != nil)
        messages.connectionLost()
        #expect(messages.count == 3 && messages.inFlight == 0)
        var again: [UnacknowledgedMessages.Message] = []
        while let message = messages.takeUnsent() { again.append(message) }
        #expect(again.map(\.packetID) == [2, 4, 5])
        #expect(again.map(\.isRepeated) == [true, true, false])
        #expect(messages.acknowledge(3) == nil)
        for packetID: UInt16 in [5, 2, 4] { #expect(messages.acknowledge(packetID) != nil) }
        #expect(messages.count == 0 && messages.inFlight == 0 && !messages.hasUnsent)
    }

    @Test func theBoundIsKept() {
        var messages = UnacknowledgedMessages()
        for sequence in 0..<UInt32(UnacknowledgedMessages.limit) {
            #expect(messages.append(sequence: sequence, due: 0) == true)
        }
        #expect(messages.append(sequence: 0, due: 0) == false)
        _ = messages.takeUnsent()
        #expect(messages.acknowledge(1) != nil)
        #expect(messages.append(sequence: 0, due: 0) == true)
    }

    /// Longer than the packet identifiers last, with acknowledgements out of order and lost connections.
    @Test func everyMessageIsAcknowledgedOnceInALongRun() {
        var random = SplitMix64(seed: 9)
        var messages = UnacknowledgedMessages()
        var outstanding: [(id: UInt16, sequence: UInt32)] = []
        var acknowledged: Set<UInt32> = []
        var sequence: UInt32 = 0
        while acknowledged.count < 200_000 {
            if sequence < 200_000, messages.append(sequence: sequence, due: 0) { sequence += 1 }
            if Int.random(in: 0..<3, using: &random) > 0, let message = messages.takeUnsent() {
                outstanding.append((message.packetID, message.sequence))
            }
            while outstanding.count > (sequence < 200_000 ? 40 : 0) {
                let (id, expected) = outstanding.remove(at: Int.random(in: 0..<outstanding.count, using: &random))
                #expect(messages.acknowledge(id)?.sequence == expected)
                #expect(acknowledged.insert(expected).inserted)
            }
            if Int.random(in: 0..<5000, using: &random) == 0 {
                messages.connectionLost()
                outstanding = []
            }
        }
        #expect(messages.count == 0)
    }
}
