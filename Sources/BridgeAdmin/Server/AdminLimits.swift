import NIOCore

/// What one client, and all of them together, may take of the admin endpoint.
struct AdminLimits: Sendable {
    /// Connections at once. One more takes the place of the one that has been idle the longest, or is refused if every
    /// connection awaits an answer.
    var connections = 128
    /// How many of them may come from one address, so that one client cannot take every place.
    var connectionsPerAddress = 64
    /// Bytes of one field of a request's head, and of all of them.
    var headerField = 8 * 1024
    var headers = 16 * 1024
    var headerCount = 100
    /// Bytes of a request's body.
    var body = 16 * 1024
    /// From the beginning of a connection to the head of its first request, and from the head of a request to its end.
    var request = TimeAmount.seconds(10)
    /// Between two requests. Longer than the usual minute between two scrapes.
    var idle = TimeAmount.seconds(75)
    /// How long a client may take no byte of an answer.
    var stall = TimeAmount.seconds(15)
    /// How long answers may take to their end once the endpoint ends.
    var end = TimeAmount.seconds(2)
    /// How often these times are looked at.
    var sweep = Duration.seconds(1)
}
