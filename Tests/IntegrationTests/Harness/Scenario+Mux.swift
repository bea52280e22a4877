import Foundation
import Testing

extension Scenario.Options {
    /// Options for tests that count connections, which event loops do not share.
    static func onOneLoop(uplink: [String] = [], serve: [String] = []) -> Self {
        var options = Self()
        options.configuration = "threads: 1"
        options.uplink = uplink
        options.front.serve = serve
        return options
    }
}

extension Scenario {
    /// The far end `serve`; throws if the mapping under test uses another one.
    var serve: Serve {
        get throws {
            guard let serve = farEnd.serve else {
                throw HarnessError("this mapping has no serve: mark the test with .mapping(.mux)")
            }
            return serve
        }
    }

    /// Starts a load_client.py process.
    func load() async throws -> LoadClient {
        let load = try await LoadClient.start()
        await own(load.process)
        return load
    }

    /// Starts another far end at the port of the previous one, which has ended.
    func startAgain(_ kind: FarEnd.Kind? = nil, _ options: Front.Options = .init()) async throws -> FarEnd {
        var options = options
        options.port = farEnd.port
        let next = try await FarEnd.start(in: folder, broker: broker.port, options, kind: kind)
        await own(next.process)
        return next
    }

    /// Waits until the bridge has logged this text `count` times.
    func bridgeSays(_ text: String, times count: Int = 1) async throws {
        try await bridge.process.errors.says(text, times: count)
    }

    /// How many times the bridge has logged this text.
    func bridgeSaid(_ text: String) async -> Int {
        await bridge.process.errors.all.count { $0.contains(text) }
    }
}

extension Serve {
    /// The number of QUIC connections whose handshake has completed, from the log.
    var connections: Int {
        get async { await process.errors.all.count { $0.contains("client connected") } }
    }

    /// The number of QUIC connections that have ended, from the log.
    var endedConnections: Int {
        get async { await process.errors.all.count { $0.contains("client connection ended") } }
    }

    func hasConnections(_ count: Int) async throws {
        try await process.errors.says("client connected", times: count)
    }

    /// Expects this many connections and no more. The log may be late, so the last of them is awaited.
    func expectConnections(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await hasConnections(count)
        #expect(await connections == count, sourceLocation: sourceLocation)
    }

    func hasEndedConnections(_ count: Int) async throws {
        try await process.errors.says("client connection ended", times: count)
    }
}

extension EventLog<String> {
    /// Waits until `count` lines have contained this text.
    func says(_ text: String, times count: Int) async throws {
        var seen = 0
        var position = 0
        while true {
            for line in elements(from: position) {
                position += 1
                if line.contains(text) { seen += 1 }
            }
            if seen >= count { return }
            do {
                _ = try await first("'\(text)'", from: position) { $0.contains(text) }
            } catch {
                throw HarnessError("'\(text)' was logged \(seen) of \(count) times: \(error)")
            }
        }
    }

    private func elements(from start: Int) -> ArraySlice<String> {
        all.dropFirst(start)
    }
}
