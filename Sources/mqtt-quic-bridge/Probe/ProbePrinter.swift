import BrokerProbe
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Prints a probe as it goes on, until it is interrupted.
final class ProbePrinter: Sendable {
    private let isJSON: Bool
    private let isStopped = Mutex(false)

    init(isJSON: Bool) {
        self.isJSON = isJSON
    }

    func begin(_ options: ProbeOptions) {
        if !isJSON { write(ProbeText.header(options)) }
    }

    func print(_ step: ProbeStep) {
        if !isJSON { write(ProbeText.text(step)) }
    }

    func end(_ report: ProbeReport, configuration: String?) throws {
        write(
            isJSON
                ? try ProbeDocument(report: report, configuration: configuration).json() + "\n"
                : ProbeText.footer(report, configuration: configuration))
    }

    /// Nothing is printed from now on.
    func stop() {
        isStopped.withLock { $0 = true }
    }

    /// Whoever watches sees each step when it ends, also through a pipe.
    private func write(_ text: String) {
        isStopped.withLock { isStopped in
            guard !isStopped else { return }
            Swift.print(text, terminator: "")
            fflush(nil)
        }
    }
}
