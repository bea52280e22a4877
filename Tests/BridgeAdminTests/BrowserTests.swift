import BridgeCore
import TestSupport
import Testing

@testable import BridgeAdmin

/// The page in a real browser. Its figures come from a program that is not there, so that each state can be set.
@Suite(
    .serialized,
    .enabled(if: Browser.isInstalled, "no Chromium is installed here: scripts/bootstrap says why"))
struct BrowserTests {
    private static let rows = "[...document.querySelectorAll('#rows .open')].map((row) => row.textContent).join('|')"
    private static let hostile = "<img src=x onerror=\"document.title='broken'\">"

    private func withPage(
        _ service: FakeService, token: String? = nil, _ body: @Sendable @escaping (Browser, String) async throws -> Void
    ) async throws {
        try await PageServer.run(service, token: token) { address in
            let browser = Browser()
            try await browser.start()
            do {
                try await browser.open(address)
                try await body(browser, address)
            } catch {
                await browser.close()
                throw error
            }
            await browser.close()
        }
    }

    @Test func devicesComeAndGo() async throws {
        let service = FakeService()
        try await withPage(service) { browser, _ in
            try await browser.wait("document.getElementById('empty').textContent === 'No device is connected.'")
            service.add("pump-1", id: 1)
            service.add(Self.hostile, id: 2)
            try await browser.wait("document.querySelectorAll('#rows tr').length === 2")
            #expect(try await browser.text(Self.rows) == "pump-1|\(Self.hostile)")
            #expect(try await browser.text("String(document.images.length)") == "0")
            _ = service.remove(1)
            try await browser.wait("document.querySelectorAll('#rows tr').length === 1")
            #expect(try await browser.text("document.title") == "mqtt-quic-bridge run")
            #expect(try await browser.problems() == [])
        }
    }

    @Test func anOutageIsToldAndEnds() async throws {
        let service = FakeService()
        service.add("pump-1", id: 1)
        try await withPage(service) { browser, _ in
            try await browser.wait("document.getElementById('uplink').dataset.state === 'up'")
            service.setOutage(true)
            try await browser.wait("document.querySelector('.banner')?.textContent.includes('1 device is held')")
            try await browser.wait("document.querySelector('#rows .state').textContent === 'Held'")
            try await browser.wait("document.getElementById('announcement').textContent.includes('unreachable')")
            service.setOutage(false)
            try await browser.wait("!document.querySelector('.banner')")
            try await browser.wait("document.querySelector('#rows .state').textContent === 'Live'")
            #expect(try await browser.problems() == [])
        }
    }

    @Test func theButtonDisconnectsAfterAQuestion() async throws {
        let service = FakeService()
        service.add("pump-1", id: 1)
        service.add("pump-2", id: 2)
        try await withPage(service) { browser, _ in
            try await browser.wait("document.querySelectorAll('#rows tr').length === 2")
            try await browser.click("#rows tr:nth-child(2) .open")
            try await browser.wait("document.getElementById('details-title').textContent === 'pump-2'")
            try await browser.click("#disconnect")
            try await browser.wait("document.getElementById('question').open")
            // The answer that changes nothing has the focus.
            try await browser.run("press", ["key": "Enter"])
            try await browser.wait("!document.getElementById('question').open")
            #expect(service.present.withLock { $0.count } == 2)
            try await browser.click("#disconnect")
            try await browser.click("#question-yes")
            try await browser.wait("document.querySelectorAll('#rows tr').length === 1")
            #expect(try await browser.text(Self.rows) == "pump-1")
            #expect(try await browser.problems() == [])
        }
    }

    /// What would turn the text round, or hide in it, is shown as its number.
    @Test func aNameCannotLookLikeAnother() async throws {
        let service = FakeService()
        service.add("a\u{202E}1-pmup\u{2066}\u{0}\n\u{200B}\u{E000}", id: 1)
        let shown = #"a\u{202e}1-pmup\u{2066}\u{0}\n\u{200b}\u{e000}"#
        try await withPage(service) { browser, _ in
            try await browser.wait("document.querySelectorAll('#rows tr').length === 1")
            #expect(try await browser.text(Self.rows) == shown)
            #expect(
                try await browser.text("getComputedStyle(document.querySelector('#rows .open')).unicodeBidi")
                    == "isolate")
            try await browser.click("#rows .open")
            try await browser.wait("document.getElementById('details-title').textContent !== 'Loading'")
            #expect(try await browser.text("document.getElementById('details-title').textContent") == shown)
            try await browser.click("#disconnect")
            #expect(try await browser.text("document.getElementById('question-text').textContent").hasPrefix(shown))
            #expect(try await browser.problems() == [])
        }
    }

    @Test func aRestartOfTheProgramBeginsTheListAnew() async throws {
        let service = FakeService()
        for id in 1...60 { service.add("pump-\(id)", id: DeviceID(id)) }
        try await withPage(service) { browser, _ in
            try await browser.wait("document.querySelectorAll('#rows tr').length === 25")
            try await browser.click("#next")
            try await browser.wait("document.getElementById('range').textContent === '26 to 50 of 60 devices'")
            service.report.withLock { $0.program.startedAt = 1 }
            try await browser.wait("document.getElementById('range').textContent === '1 to 25 of 60 devices'")
            #expect(try await browser.problems() == [])
        }
    }

    @Test func aTokenIsAskedFor() async throws {
        let service = FakeService()
        service.add("pump-1", id: 1)
        try await withPage(service, token: "sesame") { browser, address in
            try await browser.wait("document.activeElement.id === 'token'")
            try await browser.run("type", ["text": "wrong"])
            try await browser.run("press", ["key": "Enter"])
            try await browser.wait("document.getElementById('token-problem').textContent !== ''")
            try await browser.run("type", ["text": "sesame"])
            try await browser.run("press", ["key": "Enter"])
            try await browser.wait("document.querySelectorAll('#rows tr').length === 1")
            // The tab keeps it.
            try await browser.open(address)
            try await browser.wait("document.querySelectorAll('#rows tr').length === 1")
            #expect(try await browser.problems() == [])
        }
    }

    @Test func thePageFitsAPhone() async throws {
        let service = FakeService()
        for id in 1...60 { service.add("a-rather-long-client-identifier-\(id)", id: DeviceID(id)) }
        try await withPage(service) { browser, address in
            try await browser.open(address, width: 360)
            try await browser.wait("document.querySelectorAll('#rows tr').length === 25")
            #expect(try await browser.text("String(document.documentElement.scrollWidth)") == "360")
            try await browser.click("#next")
            try await browser.wait("document.getElementById('range').textContent === '26 to 50 of 60 devices'")
            #expect(try await browser.problems() == [])
        }
    }
}
