/// Why a measurement could not be made, for the person who started it.
package struct SuiteError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
