/// A value that is never printed: every description of it is a row of stars.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The value itself, for the CONNECT packet and nothing else.
    package let value: String

    package init(_ value: String) {
        self.value = value
    }

    package var description: String { "********" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
