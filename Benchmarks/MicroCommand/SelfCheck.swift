import BenchmarkMicro
import CAllocationCounter
import Foundation

/// Allocations of which it is known how many they are, for a test of the counter.
enum SelfCheck {
    private final class Instance {
        var value = 0
    }

    /// How many allocations each of them was, as JSON.
    static func report() throws -> String {
        // When a type is used for the first time, the runtime makes a description of it.
        _ = counts()
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(counts()), as: UTF8.self)
    }

    private static func counts() -> [String: UInt64] {
        [
            "nothing": count {},
            "instance": count { keep(Instance()) },
            "array": count { keep([Int](repeating: 1, count: 1_000)) },
            "arrays": count { for size in 1...100 { keep([Int](repeating: size, count: size)) } },
            "aligned": count {
                let memory = UnsafeMutableRawPointer.allocate(byteCount: 4_096, alignment: 4_096)
                keep(memory)
                memory.deallocate()
            },
            "c": count {
                let memory = calloc(10, 100)
                keep(memory)
                let larger = realloc(memory, 2_000)
                keep(larger)
                free(larger)
            },
        ]
    }

    private static func count(_ body: () -> Void) -> UInt64 {
        let before = allocation_counter_value()
        body()
        return allocation_counter_value() - before
    }

    /// Keeps an object, and with it the memory that was allocated for it, from being optimized away.
    @inline(never)
    @_optimize(none)
    private static func keep<Object>(_ object: Object) {}
}
