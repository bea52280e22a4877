import TestSupport

/// A part of the program that gets bytes which nobody chose, and what must hold for it whatever they are.
package protocol FuzzTarget: SendableMetatype {
    /// The name in `scripts/fuzz NAME`, and of the folder in `Tests/Fuzz/Corpus`.
    static var name: String { get }
    /// One line for `scripts/fuzz --list`.
    static var summary: String { get }
    /// Longer inputs are not tried, in bytes.
    static var maximumLength: Int { get }
    /// Inputs that reach the parts that chance alone would hardly find. Empty if the corpus is all there is.
    static var seeds: [[UInt8]] { get }
    /// Words of the format, which the fuzzer puts into its inputs.
    static var words: [[UInt8]] { get }

    /// Works through one input.
    /// - Throws: If something does not hold. An error that the part itself reports for bad input is none.
    static func run(_ input: [UInt8]) throws
}

extension FuzzTarget {
    package static var maximumLength: Int { 4096 }
    package static var seeds: [[UInt8]] { [] }
    package static var words: [[UInt8]] { [] }

    /// Inputs of a target whose first byte chooses a setting and whose others are choices: one for each setting below
    /// `count`.
    static func randomSeeds(_ count: UInt8) -> [[UInt8]] {
        (0..<count).map { setting in
            var random = SplitMix64(seed: UInt64(setting))
            return [setting] + (0..<300).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        }
    }
}

/// What did not hold.
package struct FuzzFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// - Throws: If the condition does not hold.
package func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw FuzzFailure(message()) }
}

/// Checks that a terminal shows a text as one line and obeys nothing in it. (`Character` hides a line break in CRLF.)
package func requireOneLine(_ text: String) throws {
    let isPrintable = text.unicodeScalars.allSatisfy {
        switch $0.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
    try require(isPrintable, "not one line of a terminal: \(text.debugDescription)")
}
