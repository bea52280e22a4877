import BridgeCore

/// Checks what can be known of routes before any device connects: whether both sides are filters, have the same shape,
/// and name variables that exist.
package enum RouteCheck {
    /// What is wrong with one side of a route.
    package struct Problem: Sendable, Equatable {
        /// Position in the given routes, counted from 0.
        package var index: Int
        package var side: Side
        /// What is wrong and what would be right, in one line.
        package var message: String

        package enum Side: String, Sendable {
            case local, remote
        }
    }

    /// Position of the first route whose remote side names `variable`, counted from 0.
    static func firstIndex(in routes: [Route], naming variable: RouteVariable) -> Int? {
        routes.firstIndex { route in
            (try? TemplateString(parsing: route.remote))?.variables.contains(variable) == true
        }
    }

    /// The problems of the routes, at most one per route.
    package static func problems(in routes: [Route], unrouted: UnroutedPolicy) -> [Problem] {
        routes.enumerated().compactMap { index, route -> Problem? in
            do throws(RouteError) {
                _ = try RoutingTable(routes: [route], unrouted: unrouted)
                return nil
            } catch {
                return Problem(index: index, side: error.field == .local ? .local : .remote, message: error.message)
            }
        }
    }
}
