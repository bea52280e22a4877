import NIOCore

extension QUICConnection {
    package var unansweredSince: NIODeadline? { nil }
    package var lastReceived: NIODeadline { .now() }
    package var probeTimeout: Duration { .seconds(1) }
    package func hurry(at now: NIODeadline) {}
}
