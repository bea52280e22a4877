import BridgeCore

/// What can be said of routes before any device is there: whether their sides are filters, have the same shape, and
/// name variables that exist. The one place where the loader asks about routes.
package enum RouteCheck {
    package struct Problem: Sendable, Equatable {
        /// Into the routes given, from 0.
        package var index: Int
        package var side: Side
        package var message: String

        package enum Side: String, Sendable {
            case local, remote
        }
    }

    /// The first route whose remote side has to have a value for `variable`, from 0.
    static func firstIndex(in routes: [Route], naming variable: RouteVariable) -> Int? {
        routes.firstIndex { route in
            (try? TemplateString(parsing: route.remote))?.variables.contains(variable) == true
        }
    }

    /// At most one for each route.
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
