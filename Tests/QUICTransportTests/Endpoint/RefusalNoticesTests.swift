import NIOCore
import Testing

@testable import QUICTransport

@Suite struct RefusalNoticesTests {
    @Test func oneIsToldPerInterval() {
        var notices = RefusalNotices()
        let start = NIODeadline.uptimeNanoseconds(5)
        let told = (0..<180).filter { notices.isDue(at: start + .seconds($0)) }
        #expect(told == [0, 60, 120])
    }
}
