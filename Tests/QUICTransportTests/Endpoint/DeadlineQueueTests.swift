import NIOCore
import Testing

@testable import QUICTransport

@Suite struct DeadlineQueueTests {
    private final class Key {}

    private func at(_ nanoseconds: UInt64) -> NIODeadline { .uptimeNanoseconds(nanoseconds) }

    @Test func comesUpInOrderOfDeadlines() {
        let keys = (0..<5).map { _ in Key() }
        var queue = DeadlineQueue<ObjectIdentifier>()
        for (key, deadline) in zip(keys, [50, 10, 40, 20, 30] as [UInt64]) {
            queue.update(ObjectIdentifier(key), deadline: at(deadline))
        }
        #expect(queue.earliest == at(10))
        let order = [1, 3, 4, 2, 0].map { ObjectIdentifier(keys[$0]) }
        var popped: [ObjectIdentifier] = []
        while let key = queue.popDue(at: at(100)) { popped.append(key) }
        #expect(popped == order)
    }

    @Test func nothingIsDueBeforeItsTime() {
        let key = Key()
        var queue = DeadlineQueue<ObjectIdentifier>()
        queue.update(ObjectIdentifier(key), deadline: at(10))
        #expect(queue.popDue(at: at(9)) == nil)
        #expect(queue.popDue(at: at(10)) == ObjectIdentifier(key))
        #expect(queue.popDue(at: at(10)) == nil)
    }

    @Test func anEarlierDeadlineReplacesTheLater() {
        let key = Key()
        var queue = DeadlineQueue<ObjectIdentifier>()
        queue.update(ObjectIdentifier(key), deadline: at(100))
        queue.update(ObjectIdentifier(key), deadline: at(10))
        #expect(queue.popDue(at: at(10)) == ObjectIdentifier(key))
        #expect(queue.popDue(at: at(1_000)) == nil)
    }

    @Test func aRemovedConnectionNeverComesUp() {
        let (gone, stays) = (Key(), Key())
        var queue = DeadlineQueue<ObjectIdentifier>()
        queue.update(ObjectIdentifier(gone), deadline: at(10))
        queue.update(ObjectIdentifier(stays), deadline: at(20))
        queue.remove(ObjectIdentifier(gone))
        #expect(queue.popDue(at: at(100)) == ObjectIdentifier(stays))
        #expect(queue.popDue(at: at(100)) == nil)
    }

    @Test func staleEntriesAreSwept() {
        let key = Key()
        var queue = DeadlineQueue<ObjectIdentifier>()
        for step in 0..<10_000 as Range<UInt64> {
            queue.update(ObjectIdentifier(key), deadline: at(1_000_000 - step))
            #expect(queue.entryCount <= 2 + 64)
        }
    }
}
