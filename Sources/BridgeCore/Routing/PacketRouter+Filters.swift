import MQTTCodec
import NIOCore

/// Routes the filters of SUBSCRIBE and UNSUBSCRIBE, and their answers.
extension PacketRouter {
    mutating func routeFilters<Request: FilterRequest>(
        of request: Request, in frame: Frame
    ) throws(MQTTError) -> Routed {
        // An empty request needs no route, and the broker judges it.
        guard !request.items.isEmpty else { return Routed(forward: BufferList(frame.bytes)) }
        // Each filter is compared with those that the device has, also one that the broker never hears of.
        guard request.items.count <= Self.maximumRemoteFilters else { return try refuse(request) }
        for item in request.items { try TopicFilter.validate(Request.filter(of: item), version: version) }
        var plan = FilterPlan<Request.Item>(standing: standing)
        for item in request.items {
            let filter = Request.filter(of: item)
            let fate = filterFate(of: filter)
            // The broker judges no UNSUBSCRIBE.
            switch Request.type == .subscribe ? judged(fate, of: filter) : fate {
            case .unchanged:
                routes.tally?.passed(.filter, by: nil)
                add([item], for: item, of: Request.self, to: &plan)
            case .mapped(let mapped):
                for filter in mapped { routes.tally?.passed(.filter, by: filter.routeIndex) }
                add(
                    mapped.map { Request.map(item, to: $0.filter, by: routes.route(at: $0.routeIndex)) }, for: item,
                    of: Request.self, to: &plan)
            case .dropped:
                plan.answer(Request.codeForDropped(item))
            case .denied:
                counters.rejectedFilters += 1
                // 3.1 has no code for a failure, and a closed connection is what the device is spared.
                plan.answer(Request.code(for: .notAuthorized, version) ?? Request.codeForDropped(item))
            case .refused(let reason):
                guard let code = Request.code(for: reason, version) else { return closing(reason, filter: filter) }
                plan.answer(code)
            }
            guard plan.remote.count <= Self.maximumRemoteFilters else { return try refuse(request) }
        }
        return try carryOut(plan, request, frame)
    }

    /// The answer with one code for each filter of the device.
    mutating func routeAnswer<Request: FilterRequest>(
        to request: Request.Type, in frame: Frame
    ) throws(MQTTError) -> Routed {
        settle(request, by: frame)
        guard let packetID = frame.leadingPacketID, let entries = self[keyPath: Request.pending].take(packetID) else {
            return Routed(forward: BufferList(frame.bytes))
        }
        var answer = try Request.Answer.decode(frame, version: version, isLenient: false)
        guard let codes = PendingFilters.merge(answer.codes, for: entries, by: Request.merge) else {
            throw MQTTError(
                .protocolError, clause: "\(version) 3.\(Request.answerType.rawValue).3",
                message: "\(Request.answerType) does not have one code for each filter")
        }
        answer.codes = codes
        guard let bytes = try answer.encoded(version, within: deviceMaximumPacketSize) else { return Routed() }
        return Routed(forward: BufferList(bytes))
    }

    /// Notes which filters of the device stand at the broker from now on. An answer that can't be read is judged elsewhere,
    /// if at all.
    private mutating func settle<Request: FilterRequest>(_: Request.Type, by answer: Frame) {
        guard let packetID = answer.leadingPacketID, standing.awaits(Request.type, packetID) else { return }
        let codes = (try? Request.Answer.decode(answer, version: version, isLenient: true))?.codes ?? []
        standing.answered(Request.type, packetID, codes)
    }

    /// Adds a filter of the device that became `items` to the plan.
    private func add<Request: FilterRequest>(
        _ items: consuming [Request.Item], for item: Request.Item, of request: Request.Type,
        to plan: inout FilterPlan<Request.Item>
    ) {
        let filter = Request.filter(of: item)
        var asked = consume items
        // Where no topic is mapped, no two filters become the same one.
        let limit = routes.mapsTopics ? Request.settle(&asked, of: filter, in: &plan.standing) : nil
        if asked.isEmpty {
            // Other filters of the device still need the broker's subscriptions, and this one has ended here.
            plan.answer(ReasonCode.success.rawValue)
        } else if asked == [item], asked.allSatisfy({ Request.filter(of: $0).hasSameBytes(as: filter) }) {
            plan.pass(item)
        } else {
            plan.replace(with: asked, limit: limit)
        }
    }

    private mutating func carryOut<Request: FilterRequest>(
        _ plan: FilterPlan<Request.Item>, _ request: Request, _ frame: Frame
    ) throws(MQTTError) -> Routed {
        guard !plan.remote.isEmpty else {
            standing = plan.standing
            return try answering(request, plan.localCodes)
        }
        if plan.needsMerge, Request.hasCodes(version) {
            switch self[keyPath: Request.pending].add(plan.entries, packetID: request.packetID) {
            case .added: break
            case .identifierInUse: throw identifierInUse(Request.type)
            case .full: return try refuse(request)
            }
        } else if self[keyPath: Request.pending].isWaiting(for: request.packetID) {
            throw identifierInUse(Request.type)
        }
        standing = plan.standing
        standing.sent(Request.type, request.packetID, isAnswered: routes.mapsTopics && Request.hasCodes(version))
        guard plan.isChanged else { return Routed(forward: BufferList(frame.bytes)) }
        var remote = request
        remote.items = plan.remote
        return Routed(forward: [try remote.encode(version: version).withFlags(of: frame)])
    }

    /// Refuses all filters of a request that has, or becomes, too many.
    private mutating func refuse<Request: FilterRequest>(_ request: Request) throws(MQTTError) -> Routed {
        counters.rejectedFilters += request.items.count
        routes.tally?.count(.filter, .rejected, times: request.items.count)
        guard let code = Request.code(for: .quotaExceeded, version) else { return Routed(close: Self.tooManyFilters) }
        return try answering(request, [UInt8](repeating: code, count: request.items.count))
    }

    private func answering<Request: FilterRequest>(
        _ request: Request, _ codes: [UInt8]
    ) throws(MQTTError) -> Routed {
        let answer = Request.Answer(packetID: request.packetID, properties: [], codes: codes)
        return Routed(reply: [try answer.encode(version: version)])
    }
}

extension PacketRouter {
    /// What happens to a filter of the device.
    enum FilterFate {
        case unchanged
        /// One remote filter or more, each no longer than MQTT allows.
        case mapped([ResolvedRoutes.MappedFilter])
        case dropped
        case refused(ReasonCode)
        /// The broker would disconnect the device for it.
        case denied
    }

    mutating func filterFate(of filter: String) -> FilterFate {
        let mapped = routes.remoteFilters(for: filter)
        if mapped.isEmpty {
            switch routes.unrouted {
            case .pass:
                return .unchanged
            case .drop:
                counters.droppedFilters += 1
                routes.tally?.count(.filter, .dropped)
                return .dropped
            case .reject:
                counters.rejectedFilters += 1
                routes.tally?.count(.filter, .rejected)
                return .refused(.notAuthorized)
            }
        }
        guard mapped.allSatisfy({ $0.filter.utf8.count <= TopicPattern.maximumLength }) else {
            counters.rejectedFilters += 1
            routes.tally?.count(.filter, .rejected)
            return .refused(.topicFilterInvalid)
        }
        return .mapped(mapped)
    }

    /// [MQTT-2.2.1-3]: a packet identifier is not used again until its packet is answered.
    private func identifierInUse(_ type: PacketType) -> MQTTError {
        MQTTError(
            .protocolError, clause: version == .v5_0 ? "[MQTT-2.2.1-3]" : "[MQTT-2.3.1-2]",
            message: "\(type) has the packet identifier of another one that has not been answered yet")
    }

    /// Closes the device because this version of MQTT has no answer that refuses a filter.
    private func closing(_ reason: ReasonCode, filter: String) -> Routed {
        let why = reason == .topicFilterInvalid ? "is too long once it is routed" : "matches no route"
        return Routed(
            close: Refusal(reasonCode: reason, message: "the filter \(filter.quotedForMessage()) \(why)"))
    }

    private static let tooManyFilters = Refusal(
        reasonCode: .quotaExceeded,
        message: "too many filters: one packet may become \(maximumRemoteFilters) filters at the broker, and"
            + " \(PendingFilters.maximumEntries) filters of a device may be unanswered")
}

extension ByteBuffer {
    /// The packet with the flags that the device gave it. The broker judges them; a route changes topics only.
    fileprivate func withFlags(of frame: Frame) -> ByteBuffer {
        var copy = self
        copy.setInteger(frame.type.rawValue << 4 | frame.flags, at: copy.readerIndex)
        return copy
    }
}
