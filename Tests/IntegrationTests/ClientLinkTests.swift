import NIOCore
import Testing

@testable import MQTTQUICClient
@testable import QUICTransport

/// What a link of the client library does over QUIC, seen from the other end.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ClientLinkTests {
    @Test(arguments: [FarEnd.Kind.front, .serve]) func messagesPassAndTheEndIsOrderly(_ kind: FarEnd.Kind) async throws
    {
        try await LinkScenario.run(LinkScenario.Options(farEnd: kind)) { scenario, dialer in
            let link = try await dialer.dial("link-1")
            let facts = try await link.connects()
            #expect(facts.transport == .quic && !facts.isResumed && facts.isEarlyDataAccepted == nil)
            #expect(facts.remoteAddress.hasSuffix(":\(scenario.farEnd.port)"))
            try await link.publish("news", "hello", packetID: 1)
            try await link.disconnects()
            if let front = scenario.farEnd.front {
                let closed = try await front.closed("link-1")
                #expect(closed.by == "client" && closed.application == true && closed.code == 0)
            }
            try await scenario.broker.logs("Client link-1 disconnected")
        }
    }

    @Test func anAbortEndsAtOnceAndIsToldAfterTheCall() async throws {
        try await LinkScenario.run { scenario, dialer in
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            try await link.run { $0.abort() }
            #expect(try await link.ends() == .finished)
            #expect(try await scenario.front.closed("link-1").by == "client")
            // Nothing follows the end.
            try await link.run {
                $0.write(ByteBuffer(bytes: RawMQTT.pingreq), on: .control)
                $0.consumed(1, on: .control)
                $0.finish()
                $0.abort()
                #expect($0.backlog(of: .control) == 0 && $0.openDataStream() == nil)
            }
        }
    }

    @Test func aTakeoverEndsTheLink() async throws {
        try await LinkScenario.run { scenario, dialer in
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            let front = try scenario.front
            try await front.takeOver(try #require(try await front.connection(of: "link-1")))
            // The session hears the reason as DISCONNECT.
            #expect(try await link.gets(0xE0).dropFirst(2).first == 0x8E)
            guard case .lost = try await link.ends() else {
                Issue.record("the link ended in order")
                return
            }
        }
    }

    @Test func aBrokerThatClosesSaysWhy() async throws {
        try await LinkScenario.run { scenario, dialer in
            for (code, useful) in [(2, true), (0x38B, true), (0x38E, false)] {
                let id = "link-\(code)"
                let link = try await dialer.dial(id)
                _ = try await link.connects()
                try scenario.front.closeAll(code: code)
                guard case .lost(let error, let isRetryUseful, let told) = try await link.ends() else {
                    Issue.record("the link ended in order")
                    return
                }
                #expect(told == UInt64(code) && isRetryUseful == useful, "\(error)")
                #expect((error == .sessionTakenOver) == (code == 0x38E))
            }
        }
    }

    // MARK: - Data streams

    @Test func dataStreamsHaveTheirOwnAnswersAndEnds() async throws {
        try await LinkScenario.run { scenario, dialer in
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            let streams = try await link.run { link in (0..<12).compactMap { _ in link.openDataStream() } }
            // The broker allows ten, of which one is the control stream.
            #expect(streams.count == 9)
            // Each has packet identifiers of its own.
            for stream in streams { try await link.publish("news", "\(stream)", packetID: 1, on: stream) }
            let front = try scenario.front
            let connection = try #require(try await front.connection(of: "link-1"))
            try await front.reset(stream: 4, of: connection)
            _ = try await link.told.first("the end of a stream") {
                if case .streamEnded(let stream) = $0 { stream == streams[0] } else { false }
            }
            // The others go on, and there is room for another one.
            try await link.publish("news", "still", packetID: 2, on: streams[1])
            try await link.publish("news", "here", packetID: 2)
            var further: LinkStream?
            while further == nil { further = try await link.run { $0.openDataStream() } }
            try await link.publish("news", "too", packetID: 1, on: try #require(further))
            try await link.disconnects()
        }
    }

    // MARK: - Tickets

    @Test func aTicketShortensTheNextHandshakeAndCarriesConnect() async throws {
        try await LinkScenario.run(resuming(.earlyData)) { scenario, dialer in
            try await leavesTicket(dialer)
            let link = try await dialer.dial("link-2")
            let facts = try await link.connects()
            #expect(facts.isResumed && facts.isEarlyDataAccepted == true)
            try await link.publish("news", "hello", packetID: 1)
            #expect(try await scenario.front.connects(of: "link-2").count == 1)
            try await link.disconnects()
        }
    }

    @Test func earlyDataThatIsRejectedIsSentAgain() async throws {
        try await LinkScenario.run(resuming(.rejectEarlyData)) { scenario, dialer in
            try await leavesTicket(dialer)
            let link = try await dialer.dial("link-2")
            let facts = try await link.connects()
            #expect(facts.isResumed && facts.isEarlyDataAccepted == false)
            try await link.publish("news", "hello", packetID: 1)
            #expect(try await scenario.front.connects(of: "link-2").count == 1)
            try await link.disconnects()
        }
    }

    @Test func withoutLeaveNothingIsSentEarly() async throws {
        var options = resuming(.earlyData)
        options.configure = { configuration, _ in configuration.zeroRTT = false }
        try await LinkScenario.run(options) { _, dialer in
            try await leavesTicket(dialer)
            let facts = try await dialer.dial("link-2").connects()
            #expect(facts.isResumed && facts.isEarlyDataAccepted == nil)
        }
    }

    @Test func ticketsInAFileOutliveTheClient() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        var options = resuming(.resume)
        options.configure = { configuration, _ in configuration.tickets = .file("\(folder.path)/tickets") }
        try await LinkScenario.run(options) { scenario, dialer in
            try await leavesTicket(dialer)
            try await dialer.run { $0.release() }
            try await TestDialer.with(scenario.configuration) { another in
                let link = try await another.dial("link-2")
                let facts = try await link.connects()
                #expect(facts.isResumed)
                try await link.disconnects()
            }
            var other = scenario.configuration
            other.tickets = .off
            try await TestDialer.with(other) { another in
                let facts = try await another.dial("link-3").connects()
                #expect(!facts.isResumed)
            }
        }
    }

    private func resuming(_ tickets: Front.Tickets) -> LinkScenario.Options {
        var options = LinkScenario.Options()
        options.front.tickets = tickets
        options.configure = { configuration, _ in configuration.zeroRTT = true }
        return options
    }

    /// Makes a link that ends when its ticket has come: the answer to a message is behind it.
    private func leavesTicket(_ dialer: TestDialer) async throws {
        let link = try await dialer.dial("link-1")
        let facts = try await link.connects()
        #expect(!facts.isResumed)
        try await link.publish("news", "first", packetID: 1)
        try await link.disconnects()
    }

    // MARK: - The path

    @Test func newPortsOfANATAreFollowed() async throws {
        var options = LinkScenario.Options()
        options.isRelayed = true
        try await LinkScenario.run(options) { scenario, dialer in
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            for number in 1...5 {
                try await scenario.relay?.rebind()
                try await link.publish("news", "\(number)", packetID: UInt16(number))
            }
            #expect(try await scenario.front.handshakes.count == 1)
            try await link.disconnects()
        }
    }

    @Test func aMoveToAnotherSocketIsTold() async throws {
        try await LinkScenario.run { scenario, dialer in
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            try await link.publish("news", "before", packetID: 1)
            try await dialer.run { dialer in
                let remote = try SocketAddress(ipAddress: "127.0.0.1", port: scenario.farEnd.port)
                _ = try dialer.takeSockets().endpoint(for: remote).moveAll()
            }
            let told = try await link.told.first("the move") { if case .moved = $0 { true } else { false } }
            guard case .moved(let local) = told else { return }
            #expect(local == "127.0.0.1")
            try await link.publish("news", "after", packetID: 2)
            #expect(try await scenario.front.handshakes.count == 1)
            try await link.disconnects()
        }
    }

    @Test func anOutageIsSurvived() async throws {
        var options = LinkScenario.Options()
        options.isRelayed = true
        try await LinkScenario.run(options) { scenario, dialer in
            let relay = try #require(scenario.relay)
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            try await relay.blackOut(true)
            try await link.write(RawMQTT.publish("news", [1], packetID: 1, properties: []))
            // The link asks whether the broker is there: those datagrams are as large as the first one of a connection.
            _ = try await relay.happenings.first("a probe") { !$0.passed && $0.direction == .up && $0.size == 1_200 }
            try await relay.blackOut(false)
            try await link.gets(0x40)
            #expect(try await scenario.front.handshakes.count == 1)
            try await link.disconnects()
        }
    }

    /// The server stops following address changes, as EMQX 6.0.3 does, but answers others.
    @Test func aConnectionThatIsForgottenEndsTheLink() async throws {
        var options = LinkScenario.Options()
        options.isRelayed = true
        options.front.followedRebinds = 0
        try await LinkScenario.run(options) { scenario, dialer in
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            try await scenario.relay?.rebind()
            try await link.write(RawMQTT.publish("news", [1], packetID: 1, properties: []))
            let (error, isRetryUseful) = try await link.fails()
            #expect(isRetryUseful && "\(error)".contains("not on this connection"), "\(error)")
        }
    }

    // MARK: - Bounds

    /// What is written waits in the link, which says how much, and says when there is room again.
    @Test func aFullLinkSaysWhenThereIsRoom() async throws {
        try await LinkScenario.run { _, dialer in
            let link = try await dialer.dial("link-1")
            _ = try await link.connects()
            try await link.fillsUpAndHasRoomAgain(bytes: 4_000_000)
            let left = try await link.run { $0.backlog(of: .control) }
            #expect(left < LinkWaterMarks.low)
            try await link.disconnects()
        }
    }

    /// A session that takes nothing of a subscription on one stream has the broker stop there, and only there.
    @Test func aStreamWithoutCreditStopsAlone() async throws {
        try await LinkScenario.run { scenario, dialer in
            let link = try await dialer.dial("link-1", isSlow: true)
            _ = try await link.connects()
            let slow = try #require(try await link.run { $0.openDataStream() })
            try await link.write(RawMQTT.subscribe("flood", level: 5), on: slow)
            try await link.gets(0x90, on: slow)
            let payload = [UInt8](repeating: 7, count: 100_000)
            for number in 1...30 {
                try await link.write(
                    RawMQTT.publish("flood", payload, packetID: UInt16(number), properties: []))
                try await link.gets(0x40)
            }
            let received = await link.told.all.reduce(0) {
                if case .bytes(let count, slow) = $1 { $0 + count } else { $0 }
            }
            #expect(received > 0 && received <= 2 * LinkSettings.window)
            // The end does not wait for what nobody takes.
            try await link.disconnects()
        }
    }
}
