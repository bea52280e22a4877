import NIOCore
import Testing

@testable import BridgeAdmin

struct ConnectionWatchTests {
    private let limits = AdminLimits()
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func at(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }

    @Test func aRequestHasToCome() {
        let watch = ConnectionWatch(at: start)
        #expect(!watch.isOverdue(at: at(9), limits))
        #expect(watch.isOverdue(at: at(10), limits))
    }

    @Test func aRequestHasToEnd() {
        var watch = ConnectionWatch(at: start)
        watch.requestBegan(at: at(5))
        let (within, beyond) = (watch.bodyCame(10, limit: 10), watch.bodyCame(1, limit: 10))
        #expect(within && !beyond)
        #expect(!watch.isOverdue(at: at(14), limits))
        #expect(watch.isOverdue(at: at(15), limits))
        watch.requestEnded()
        #expect(!watch.isOverdue(at: at(1_000), limits))
    }

    @Test func anAnswerMayTakeLongIfItIsRead() {
        var watch = ConnectionWatch(at: start)
        watch.requestBegan(at: start)
        watch.requestEnded()
        watch.becameWritable(false, at: at(100))
        watch.becameWritable(false, at: at(110))
        #expect(!watch.isOverdue(at: at(114), limits))
        #expect(watch.isOverdue(at: at(115), limits))
        watch.becameWritable(true, at: at(115))
        #expect(!watch.isOverdue(at: at(1_000), limits))
    }

    @Test func anIdleConnectionGoes() {
        var watch = ConnectionWatch(at: start)
        watch.requestBegan(at: start)
        watch.requestEnded()
        #expect(!watch.isIdle)
        watch.answered(at: at(20))
        #expect(watch.isIdle)
        #expect(!watch.isOverdue(at: at(94), limits))
        #expect(watch.isOverdue(at: at(95), limits))
        watch.leaves()
        #expect(watch.isOverdue(at: at(30), limits))
    }
}
