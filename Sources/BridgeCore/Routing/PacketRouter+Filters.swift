import MQTTCodec
import NIOCore

/// What SUBSCRIBE and UNSUBSCRIBE have in common.
extension PacketRouter {
    /// What becomes of a filter of the device.
    enum FilterFate: Equatable {
        case unchanged
        /// One remote filter or more, each no longer than MQTT allows.
        case mapped([ResolvedRoutes.MappedFilter])
        case dropped
        case refused(ReasonCode)
    }

    mutating func filterFate(of filter: String) -> FilterFate {
        let mapped = routes.remoteFilters(for: filter)
        if mapped.isEmpty {
            switch routes.unrouted {
            case .pass:
                return .unchanged
            case .drop:
                counters.droppedFilters += 1
                return .dropped
            case .reject:
                counters.rejectedFilters += 1
                return .refused(.notAuthorized)
            }
        }
        guard mapped.allSatisfy({ $0.filter.utf8.count <= TopicPattern.maximumLength }) else {
            counters.rejectedFilters += 1
            return .refused(.topicFilterInvalid)
        }
        return .mapped(mapped)
    }

    /// [MQTT-2.2.1-3]: a packet id is not used again before its answer.
    func identifierInUse(_ type: PacketType) -> MQTTError {
        MQTTError(
            .protocolError, clause: version == .v5_0 ? "[MQTT-2.2.1-3]" : "[MQTT-2.3.1-2]",
            message: "\(type) has the packet identifier of another that is not answered yet")
    }

    func codesDoNotFit(_ type: PacketType) -> MQTTError {
        MQTTError(
            .protocolError, clause: "\(version) 3.\(type.rawValue).3",
            message: "\(type) has another number of codes than there were filters")
    }

    /// Where the protocol has no answer that says no.
    func closing(_ reason: ReasonCode, filter: String) -> Routed {
        let why =
            reason == .topicFilterInvalid ? "is too long once it is routed" : "reaches nothing inside the routes"
        return Routed(
            close: Refusal(reasonCode: reason, message: "the filter \(filter.quotedForMessage()) \(why)"))
    }

    static let tooManyFilters = Refusal(
        reasonCode: .quotaExceeded,
        message: "more filters than are allowed: at most \(maximumRemoteFilters) at the broker for one packet, and"
            + " \(PendingFilters.maximumEntries) of the device unanswered")
}

extension ByteBuffer {
    /// The packet with the flags that the device gave it: a rule that changes topics does not mend them.
    func withFlags(of frame: Frame) -> ByteBuffer {
        var copy = self
        copy.setInteger(frame.type.rawValue << 4 | frame.flags, at: copy.readerIndex)
        return copy
    }
}
