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
}
