import Foundation
import FuzzTargets

#if BRIDGE_FUZZING
    private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    @_silgen_name("LLVMFuzzerRunDriver")
    private func runDriver(
        _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<Arguments>,
        _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) -> CInt

    /// libFuzzer calls a C function without a context, and on one thread only.
    nonisolated(unsafe) private var current: (any FuzzTarget.Type)?

    /// The fuzzer that the compiler brings along.
    enum LibFuzzer {
        /// - Parameter arguments: Its options and folders. Returns only if it was told to stop.
        static func run(_ target: any FuzzTarget.Type, arguments: [String]) throws {
            current = target
            // The fuzzer keeps the arguments, which therefore are never freed.
            // When it merges inputs, it gives the first one and its own options to a shell, for a process of their own.
            let all = ["'\(CommandLine.arguments[0])' run \(target.name)"] + arguments
            var pointers = Arguments.allocate(capacity: all.count + 1)
            for (index, argument) in all.enumerated() { pointers[index] = strdup(argument) }
            pointers[all.count] = nil
            var count = CInt(all.count)
            exit(
                runDriver(&count, &pointers) { bytes, length in
                    let input = [UInt8](UnsafeBufferPointer(start: bytes, count: length))
                    do {
                        try current?.run(input)
                    } catch {
                        fatalError("\(current?.name ?? ""): \(error)")
                    }
                    return 0
                })
        }
    }
#else
    /// Without the flags of `scripts/fuzz` there is no fuzzer to run.
    enum LibFuzzer {
        static func run(_ target: any FuzzTarget.Type, arguments: [String]) throws {
            throw UsageError(description: "this program was built without libFuzzer; use scripts/fuzz \(target.name)")
        }
    }
#endif
