import BridgeCore
import Testing

@Suite struct NumberedBookTests {
    private final class Thing {
        let id: UInt64
        init(_ id: UInt64) { self.id = id }
    }

    private func all(_ book: NumberedBook<Thing>, limit: Int) -> [UInt64] {
        var (found, next): ([UInt64], UInt64?) = ([], 0)
        while let start = next {
            next = book.turn(after: start, limit: limit) {
                found.append($0.id)
                return true
            }
        }
        return found
    }

    @Test func whatIsThereIsFoundInOrder() {
        var book = NumberedBook<Thing>()
        // 5 takes its number before 7 and comes after it.
        for id: UInt64 in [1, 3, 7, 5, 9] { book.add(Thing(id), id) }
        #expect(all(book, limit: 2) == [1, 3, 5, 7, 9])
        #expect(book[5]?.id == 5 && book[4] == nil && book[10] == nil)
        #expect(book.remove(5)?.id == 5 && book.remove(5) == nil && book.remove(6) == nil)
        #expect(book.count == 4 && all(book, limit: 100) == [1, 3, 7, 9])
    }

    @Test func aTurnEndsAtItsLimitOrWhenThatIsEnough() {
        var book = NumberedBook<Thing>()
        for id: UInt64 in 1...10 { book.add(Thing(id), id) }
        var seen = 0
        let next = book.turn(after: 4, limit: 3) { _ in
            seen += 1
            return true
        }
        #expect(next == 7 && seen == 3)
        #expect(book.turn(after: 0, limit: 100) { $0.id < 3 } == nil)
        #expect(book.turn(after: .max, limit: 100) { _ in true } == nil)
    }

    /// Against a plain set, with a fixed seed; a page that was begun goes on while things come and go.
    @Test func itAgreesWithASet() {
        var generator = SplitMix(state: 7)
        var book = NumberedBook<Thing>()
        var expected: Set<UInt64> = []
        var last: UInt64 = 0
        for _ in 0..<20_000 {
            if generator.next() % 5 < 2 || expected.isEmpty {
                last += 1
                book.add(Thing(last), last)
                expected.insert(last)
            } else if let id = expected.min().map({ $0 + generator.next() % 50 }) {
                #expect((book.remove(id) != nil) == (expected.remove(id) != nil))
            }
        }
        #expect(book.count == expected.count)
        #expect(all(book, limit: 7) == expected.sorted())
        for id in expected { book.remove(id) }
        #expect(book.isEmpty && book.all.isEmpty)
    }

    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
