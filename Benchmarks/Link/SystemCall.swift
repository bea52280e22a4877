import CBenchmark
import Glibc

/// The result of a C function that returns -1 and sets `errno` if it fails.
/// - Throws: `LinkError.failed` with what was tried and the system's words for the error.
@discardableResult
func systemCall(_ what: @autoclosure () -> String, _ call: () -> Int32) throws(LinkError) -> Int32 {
    let result = call()
    guard result >= 0 else {
        let error = String(cString: strerror(errno))
        throw .failed("\(what()): \(error)")
    }
    return result
}

/// Runs `body` in a network namespace of `ip netns`. The thread is back in its own one afterwards.
func inNamespace<Result>(_ name: String, _ body: () throws(LinkError) -> Result) throws(LinkError) -> Result {
    let home = try systemCall("network namespace of this thread") { cbenchmark_current_namespace() }
    defer { close(home) }
    let there = try systemCall("network namespace \(name)") { cbenchmark_named_namespace(name) }
    defer { close(there) }
    try systemCall("entering the network namespace \(name)") { cbenchmark_enter_namespace(there) }
    defer {
        // Without this, everything that the thread does later would be in the wrong network.
        let isBack = cbenchmark_enter_namespace(home) == 0
        precondition(isBack, "a thread can return to the namespace that it came from")
    }
    return try body()
}

/// The machine's monotonic clock, in nanoseconds.
func monotonicNow() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
