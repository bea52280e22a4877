/// What one session's routes kept back.
package struct RoutingCounters: Sendable, Equatable {
    /// Messages of the device (its will too) that were acknowledged and passed to nobody.
    package var droppedUp = 0
    /// Messages of the device (its will too) that were refused.
    package var rejectedUp = 0
    /// Messages of the broker that no route brings down.
    package var droppedDown = 0
    /// Filters of SUBSCRIBE and UNSUBSCRIBE that were acknowledged and not passed on.
    package var droppedFilters = 0
    /// Filters of SUBSCRIBE and UNSUBSCRIBE that were refused.
    package var rejectedFilters = 0

    package init() {}
}
