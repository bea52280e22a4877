/// Why a benchmark, or the comparison of its figures, cannot be done.
package struct BenchmarkError: Error, CustomStringConvertible {
    package let message: String
    package var description: String { message }

    package init(message: String) {
        self.message = message
    }
}
