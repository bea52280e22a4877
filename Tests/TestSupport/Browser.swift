import Dispatch
import Foundation

/// A headless Chromium that Tests/Support/browser.py drives.
package actor Browser {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var rest = Data()

    package init() {}

    /// Whether this machine has a browser. `scripts/bootstrap` installs one where there is one to install.
    package static let isInstalled = ["chromium-headless-shell", "chromium"].contains { name in
        (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
            .contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }

    /// Reading blocks, which the threads that all tasks share must not.
    private let thread = BrowserThread()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Starts the browser.
    package func start() throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Support/browser.py").path
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", script]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        _ = try answer()
    }

    /// Ends the browser: the end of its input is the end of its driver.
    package func close() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Runs one command of browser.py, and returns its value if that is a text or a list of texts.
    @discardableResult
    package func run(_ command: String, _ fields: [String: any Sendable] = [:]) throws -> (any Sendable)? {
        let line = try JSONSerialization.data(withJSONObject: fields.merging(["do": command]) { $1 })
        try input.fileHandleForWriting.write(contentsOf: line + [UInt8(ascii: "\n")])
        let value = try answer()
        return value as? String ?? (value as? [String])
    }

    package func open(_ url: String, width: Int = 1280) throws {
        try run("open", ["url": url, "width": width])
    }

    /// Waits until the expression is true in the page.
    package func wait(_ expression: String) throws {
        try run("wait", ["expression": expression])
    }

    package func click(_ selector: String) throws {
        try run("click", ["selector": selector])
    }

    package func text(_ expression: String) throws -> String {
        try run("evaluate", ["expression": expression]) as? String ?? ""
    }

    package func problems() throws -> [String] {
        try run("problems") as? [String] ?? []
    }

    private func answer() throws -> Any? {
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = rest[..<end]
                rest = Data(rest[rest.index(after: end)...])
                let answer = try JSONSerialization.jsonObject(with: line) as? [String: Any] ?? [:]
                if let problem = answer["error"] as? String { throw BrowserProblem(problem) }
                return answer["value"]
            }
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw BrowserProblem("browser.py has ended") }
            rest.append(data)
        }
    }
}

/// Runs the work of one browser on a queue of its own.
private final class BrowserThread: SerialExecutor {
    private let queue = DispatchQueue(label: "browser")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}

package struct BrowserProblem: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
