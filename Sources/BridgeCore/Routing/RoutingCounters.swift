/// How many messages and filters the routes of one session have kept back.
package struct RoutingCounters: Sendable, Equatable {
    /// Messages of the device, including its will, that were acknowledged and discarded.
    package var droppedUp = 0
    /// Messages of the device, including its will, that were refused.
    package var rejectedUp = 0
    /// Messages of the broker that were acknowledged and discarded.
    package var droppedDown = 0
    /// Filters in SUBSCRIBE and UNSUBSCRIBE that were acknowledged and not passed on.
    package var droppedFilters = 0
    /// Filters in SUBSCRIBE and UNSUBSCRIBE that were refused.
    package var rejectedFilters = 0

    package init() {}
}
