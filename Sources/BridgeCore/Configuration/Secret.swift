/// A value that is never printed. All its descriptions are a row of stars.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The value itself, which is used for the CONNECT packet and for nothing else.
    package let value: String

    package init(_ value: String) {
        self.value = value
    }

    package var description: String { "********" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
