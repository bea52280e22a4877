/// What is wrong with a route: as it is written, or for one device whose values do not fit in it.
package struct RouteError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Field: String, Sendable {
        case local, remote
        case maximumQoS = "max_qos"
    }

    /// Index into the routes given, from 0.
    package let routeIndex: Int
    package let field: Field
    /// One line: what is wrong, and what would be right. Text of a device in it is made safe to print.
    package let message: String

    package init(routeIndex: Int, field: Field, message: String) {
        self.routeIndex = routeIndex
        self.field = field
        self.message = message
    }

    /// Counts routes from 1, as people do.
    package var description: String { "route \(routeIndex + 1): \(message)" }
}
