import Foundation
import TestSupport
import Testing

/// The status page of the real program in a real browser.
@Suite(
    .serialized, .timeLimit(.minutes(20)), .mapping(.connection, .mux),
    .enabled(if: Browser.isInstalled, "no Chromium is installed here: scripts/bootstrap says why"))
struct AdminPageTests {
    private static let rows = "[...document.querySelectorAll('#rows .open')].map((row) => row.textContent).join('|')"

    private func withPage(
        _ options: Scenario.Options = Scenario.Options(),
        _ body: @Sendable @escaping (Scenario, Browser) async throws -> Void
    ) async throws {
        var options = options
        options.admin = true
        try await Scenario.run(options) { scenario in
            let port = try #require(scenario.bridge.adminPort)
            let browser = Browser()
            try await browser.start()
            do {
                try await browser.open("http://127.0.0.1:\(port)/")
                try await browser.wait("document.getElementById('empty').textContent === 'No device is connected.'")
                try await body(scenario, browser)
                #expect(try await browser.problems() == [])
            } catch {
                await browser.close()
                throw error
            }
            await browser.close()
        }
    }

    @Test func aDeviceComesAndGoes() async throws {
        try await withPage { scenario, browser in
            let device = try await scenario.device("pump-1")
            try await browser.wait("document.querySelector('#rows .state')?.textContent === 'Live'")
            #expect(try await browser.text(Self.rows) == "pump-1")
            try await browser.wait("document.getElementById('uplink').dataset.state === 'up'")
            try await device.publish("up", "text", qos: 1)
            try await device.disconnect()
            try await browser.wait("document.querySelectorAll('#rows tr').length === 0")
        }
    }

    /// The browser has the page already, and asks whether it is still the same.
    @Test func thePageOpensAgain() async throws {
        try await withPage { scenario, browser in
            let port = try #require(scenario.bridge.adminPort)
            for _ in 0..<2 {
                try await browser.open("http://127.0.0.1:\(port)/")
                try await browser.wait("document.getElementById('empty').textContent === 'No device is connected.'")
                #expect(try await browser.problems() == [])
            }
        }
    }

    @Test func anOutageIsSeenFromItsStartToItsEnd() async throws {
        var options = Scenario.Options()
        options.relayed = true
        options.uplink = [
            "keep_alive: 1s", "idle_timeout: 4s", "connect_timeout: 2s", "backoff_minimum: 50ms",
            "backoff_maximum: 500ms", "on_loss: hold",
        ]
        try await withPage(options) { scenario, browser in
            let device = try await scenario.device("pump-1")
            try await browser.wait("document.querySelector('#rows .state')?.textContent === 'Live'")
            try await scenario.duringBlackout {
                try await browser.wait("document.querySelector('#rows .state')?.textContent === 'Held'")
                try await browser.wait("document.querySelector('.banner')?.textContent.includes('1 device is held')")
            }
            try await browser.wait("document.querySelector('#rows .state')?.textContent === 'Live'")
            try await browser.wait("!document.querySelector('.banner')")
            try await device.publish("up", "text", qos: 1)
        }
    }

    @Test func theButtonDisconnects() async throws {
        try await withPage { scenario, browser in
            let device = try await scenario.device("pump-1", ["version": "5.0"])
            let other = try await scenario.device("pump-2")
            try await browser.wait("document.querySelectorAll('#rows tr').length === 2")
            try await browser.click("#rows tr:nth-child(1) .open")
            try await browser.wait("document.getElementById('details-title').textContent === 'pump-1'")
            try await browser.click("#disconnect")
            try await browser.wait("document.getElementById('question').open")
            try await browser.click("#question-yes")
            #expect(try await device.disconnected().code == 0x98)
            try await browser.wait("document.querySelectorAll('#rows tr').length === 1")
            #expect(try await browser.text(Self.rows) == "pump-2")
            try await other.publish("up", "still here", qos: 1)
        }
    }

    /// The other end has clients, and their sessions go to a broker over TCP.
    @Test func serveSpeaksOfClients() async throws {
        try await Scenario.run { scenario in
            let (port, adminPort) = try await startServe(scenario)
            var options = scenario.options
            options.uplink = ["mapping: mux"]
            let bridge = try await scenario.anotherBridge(options, port: port)
            let browser = Browser()
            try await browser.start()
            do {
                try await browser.open("http://127.0.0.1:\(adminPort)/")
                try await browser.wait("document.getElementById('empty').textContent === 'No client is connected.'")
                let device = await scenario.client("pump-1")
                try await device.connect(port: bridge.port)
                try await browser.wait("document.querySelector('#rows .state')?.textContent === 'Live'")
                #expect(try await browser.text(Self.rows) == "pump-1")
                #expect(try await browser.text("document.title") == "mqtt-quic-bridge serve")
                #expect(try await browser.text("String(/device/i.test(document.body.innerText))") == "false")
                try await device.disconnect()
                try await browser.wait("document.querySelectorAll('#rows tr').length === 0")
                #expect(try await browser.problems() == [])
            } catch {
                await browser.close()
                throw error
            }
            await browser.close()
        }
    }

    /// Starts `serve` in front of the scenario's broker, and returns its UDP port and the port of its admin endpoint.
    private func startServe(_ scenario: Scenario) async throws -> (port: Int, adminPort: Int) {
        let text = try await ServeScenario.configuration(
            ServeScenario.Options(), in: scenario.folder, brokerPort: scenario.broker.port)
        let file = try scenario.folder.write("page-serve.yaml", text + "admin: {listen: \"127.0.0.1:0\"}\n")
        let process = try await ChildProcess.start(
            "serve", "env", ["-u", "BRIDGE_ADMIN_LISTEN", try Toolbox.bridge(), "serve", "--config", file])
        await scenario.own(process)
        var ports: [Int] = []
        for leg in ["client", "admin"] {
            let line = try await process.errors.first("serve to listen") {
                $0.contains(" listening ") && $0.contains("leg=\(leg)")
            }
            let port = line.firstMatch(of: /address=127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) }
            ports.append(try #require(port, "no port in: \(line)"))
        }
        return (ports[0], ports[1])
    }
}
