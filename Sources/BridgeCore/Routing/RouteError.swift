/// What is wrong with a route as it is written, or for one device whose values do not fit into it.
package struct RouteError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The key of the route that the error is about.
    package enum Field: String, Sendable {
        case local, remote
        case maximumQoS = "max_qos"
    }

    /// The index of the route, from 0.
    package let routeIndex: Int
    /// The key of the route that has the error.
    package let field: Field
    /// One line that says what is wrong and what would be right, with any text of a device made safe to print.
    package let message: String

    package init(routeIndex: Int, field: Field, message: String) {
        self.routeIndex = routeIndex
        self.field = field
        self.message = message
    }

    /// The message and the number of the route, counted from 1.
    package var description: String { "route \(routeIndex + 1): \(message)" }
}
