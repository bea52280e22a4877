// What a session does when its time is up, or the whole bridge's is.
extension Session {
    /// `detail` is what else is known of why it took too long.
    package mutating func timedOut(_ timer: SessionTimer, detail: String? = nil) -> [SessionAction] {
        switch (timer, state) {
        case (.connectPacket, .awaitingConnect):
            return end(.noConnectPacket)
        case (.uplinkConnect, .connecting(let connecting)):
            let stage = connecting.connect == nil ? "no CONNACK came" : "no QUIC connection was made"
            let sentence = "\(stage) within uplink.connect_timeout"
            return end(.uplinkUnreachable(detail.map { "\(sentence); before that: \($0)" } ?? sentence))
        case (.predecessor, .connecting):
            return clientIDIsFree()
        case (.keepAlive, .connected):
            return end(.keepAliveExpired)
        case (.uplinkConnect, .connected):
            return returnTimedOut()
        case (.uplinkConnect, .unread(let unread)) where !unread.isAnswered:
            return end(.uplinkUnreachable(detail ?? "no answer to CONNECT came within uplink.connect_timeout"))
        case (.uplinkConnect, .reclaimingWill):
            return reclaimingFailed(.open)
        case (.hold, .connected(let connected)):
            guard let hold = connected.hold, hold.isHeld else { return [] }
            return end(.holdExpired(detail.map { "\(hold.why); \($0)" } ?? hold.why))
        case (.brokerPatience, .connected(let connected)):
            guard connected.hold?.phase == .silent else { return [] }
            return lose("the broker has not heard the device for 1.5 times its keepalive", leg: .open)
        case (.retry, .connected):
            return retry()
        case (.goodbye, .finishing):
            state = .ended
            return hangUp() + [.closeUplink]
        case (.lastWords, _):
            return lastWordsTimedOut()
        case (.connectPacket, _), (.uplinkConnect, _), (.keepAlive, _), (.goodbye, _), (.willDelay, _),
            (.hold, _), (.brokerPatience, _), (.retry, _), (.predecessor, _):
            // The timer ran out while what it waited for was already on its way to us.
            return []
        }
    }

    /// SIGTERM: both sides are told, then the broker's FIN is awaited.
    package mutating func shutDown() -> [SessionAction] {
        switch state {
        case .awaitingConnect, .connecting, .connected, .unread: end(.shutdown)
        case .reclaimingWill: reclaimingFailed(.open)
        case .finishing: hangUp()
        case .ended, .taken: []
        }
    }
}
