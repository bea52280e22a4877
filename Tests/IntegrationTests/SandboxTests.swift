import Foundation
import Testing

/// The programs within the limits on system calls that the units in `deploy/` set.
///
/// The whole suite runs within them if BRIDGE_BINARY is Tests/Support/sandboxed.py.
@Suite(
    .mapping(.mux), .timeLimit(.minutes(20)),
    .enabled("systemd-analyze, which knows the groups of system calls, is not installed") {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze")
    })
struct SandboxTests {
    private static let sandbox = Toolbox.support("sandboxed.py")

    /// Whether the system calls of this process are filtered already (`Seccomp` in proc_pid_status(5)).
    private static let isFiltered =
        (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8))?.contains("\nSeccomp:\t2") == true

    private static func limits(of unit: String) -> [String] {
        [sandbox, "--unit", Toolbox.root.appending(path: "deploy/\(unit).service").path]
    }

    /// Devices, a reload, the admin endpoint, files that are written, and the end.
    @Test func theyAreEnoughForBothPrograms() async throws {
        try await TestPrograms.run { folder, processes in
            let broker = try await Broker.start(in: folder, .init())
            await processes.append(broker.process)
            let driver = try await PahoDriver.start()
            await processes.append(driver.process)
            var served = ServeScenario.Options()
            served.threads = 2
            served.serve = ["ticket_key_file: \(folder.path)/ticket.key"]
            let serve = try await Serve.start(
                in: folder,
                configuration: try await ServeScenario.configuration(served, in: folder, brokerPort: broker.port),
                through: Self.limits(of: "mqtt-quic-bridge-serve"))
            await processes.append(serve.process)
            var options = Scenario.Options()
            options.admin = true
            options.uplink = ["ticket_file: \(folder.path)/tickets"]
            options.configuration = "threads: 2"
            let bridge = try await Bridge.start(
                in: folder,
                configuration: try await Scenario.configuration(options, in: folder, port: serve.port), hasAdmin: true,
                through: Self.limits(of: "mqtt-quic-bridge"))
            await processes.append(bridge.process)
            let device = await PahoClient("device", driver)
            try await device.connect(port: bridge.port, ["version": "5.0"])
            try await device.subscribe("a/#")
            try await device.publish("a/b", .text("c"), qos: 2)
            #expect(try await device.message().topic == "a/b")
            _ = try await bridge.reload { $0.replacing("level: debug", with: "level: info") }
            _ = try await serve.reload { $0.replacing("level: debug", with: "level: info") }
            try await device.disconnect()
            for process in [bridge.process, serve.process] {
                process.signal(SIGTERM)
                #expect(try await process.end() == .exit(0))
            }
            #expect(FileManager.default.fileExists(atPath: "\(folder.path)/tickets"))
            #expect(FileManager.default.fileExists(atPath: "\(folder.path)/ticket.key"))
        }
    }

    /// The limits are those of the unit: what it forbids is refused, and only within them. Without them, any user may make
    /// these calls, unless a container forbids one of them, too. Some of them then fail in another way, because there is
    /// no such family or folder.
    @Test(arguments: [
        "os.sched_setaffinity(0, os.sched_getaffinity(0))", "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
        "os.chroot('/nowhere')", "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
    ])
    func whatTheUnitForbidsFails(call: String) async throws {
        let lines = [
            "import mmap, os, socket", "answer = 'not refused'", "try:", "    \(call)", "except PermissionError:",
            "    answer = 'refused'", "except OSError:", "    pass", "print(answer)",
        ]
        let python = ["-c", lines.joined(separator: "\n")]
        let confined = try await ChildProcess.start("sandboxed.py", Self.sandbox, [Toolbox.python] + python)
        #expect(try await confined.output.first("an answer") { _ in true } == "refused")
        #expect(try await confined.end() == .exit(0))
        let free = try await ChildProcess.start("python", Toolbox.python, python)
        let answer = try await free.output.first("an answer") { _ in true }
        #expect(try await free.end() == .exit(0))
        if answer != "not refused", Self.isFiltered { return }
        #expect(answer == "not refused")
    }
}
