import Foundation
import Testing

/// The same lines with mosquitto_pub and mosquitto_sub over TCP, and with `pub` and `sub` over QUIC.
@Suite(.mapping(.mux), .timeLimit(.minutes(20)))
struct ToolComparisonTests {
    // MARK: pub

    /// Lines of `pub`, with standard input. Topics are below `p/`.
    private static let publishing: [(line: [String], input: String)] = [
        (["-t", "p/a", "-m", "hello"], ""), (["-t", "p/a", "-m", "-5", "-q", "1"], ""),
        (["-t", "p/ä b", "-m", "grüße 😀", "-q", "2"], ""), (["-t", "p/n", "-n"], ""), (["-t", "p/n", "-m", ""], ""),
        (["-t", "p/s", "-s"], "two\nlines\n"), (["-t", "p/l", "-l", "-q", "1"], "one\n\nthree\nno line break"),
        (["-t", "p/l", "-l"], ""), (["-t", "p/l", "-l", "-q", "2", "-M", "1"], "a\nb\nc\n"),
        (["-t", "p/f", "-f", "/etc/hostname"], ""), (["-t", "p/r", "-m", "x", "--repeat", "3", "-q", "1"], ""),
        (["-t", "p/r", "-m", "x", "--repeat", "2", "--repeat-delay", "0.05"], ""),
        (["-V", "5", "-t", "p/5", "-m", "x", "-q", "1"], ""),
        (
            [
                "-t", "p/5", "-m", "{}", "-D", "publish", "user-property", "a", "-1", "-D", "publish", "content-type",
                "application/json", "-D", "publish", "response-topic", "r/t", "-D", "publish", "correlation-data",
                "abc",
                "-D", "publish", "payload-format-indicator", "1", "-D", "PUBLISH", "user-property", "a", "b c",
            ], ""
        ),
        (["-i", "one", "-k", "10", "-t", "p/i", "-m", "x"], ""), (["-I", "two-", "-t", "p/i", "-m", "x"], ""),
        (["--will-topic", "p/w", "--will-payload", "gone", "-t", "p/w", "-m", "no will"], ""),
        (["--quiet", "--nodelay", "-t", "p/q", "-m", "x"], ""),
    ]

    @Test func theSameMessagesArePublished() async throws {
        try await ServeScenario.run { scenario in
            let runner = try await ToolRunner(scenario)
            let format = "%t|%q|%r|%x|%C|%D|%F|%R|%P"
            let observer = try await ChildProcess.start(
                "observer", "mosquitto_sub",
                [
                    "-h", "127.0.0.1", "-p", "\(scenario.broker.port)", "-V", "5", "-q", "2", "-t", "p/#", "-F", format,
                ])
            await scenario.own(observer)
            try await scenario.broker.logs("SUBACK")
            for (index, (line, input)) in Self.publishing.enumerated() {
                var seen: [[String]] = []
                for kind in ToolRunner.Kind.allCases {
                    let start = await observer.output.count
                    let outcome = try await runner.run(kind, ["pub"] + line, input: input)
                    #expect(outcome == .init(end: .exit(0), output: "", errors: []), "\(kind) \(line)")
                    let marker = "p/end/\(index)/\(kind.rawValue)"
                    _ = try await runner.run(.theirs, ["pub", "-t", marker, "-n", "-q", "2"])
                    _ = try await observer.output.first(marker, from: start) { $0.hasPrefix(marker) }
                    seen.append(await Array(observer.output.all.dropFirst(start).dropLast()))
                }
                #expect(seen[0] == seen[1], "\(line)")
            }
        }
    }

    /// More lines than may wait for the broker at once, so that the order would show if one overtook another.
    @Test(arguments: ["0", "1", "2"])
    func linesKeepTheirOrder(qos: String) async throws {
        try await ServeScenario.run { scenario in
            let runner = try await ToolRunner(scenario)
            let observer = try await scenario.observer("lines")
            let count = 500
            let input = (0..<count).map { "\($0)\n" }.joined()
            let outcome = try await runner.run(.ours, ["pub", "-t", "lines", "-l", "-q", qos], input: input)
            #expect(outcome.end == .exit(0))
            for number in 0..<count {
                #expect(try await observer.message().text == "\(number)")
            }
        }
    }

    /// Together they have more bytes than the client takes at once, and the broker acknowledges none of them meanwhile.
    @Test func longLinesWaitForTheBroker() async throws {
        try await ServeScenario.run { scenario in
            let runner = try await ToolRunner(scenario)
            let observer = try await scenario.observer("lines")
            let command = try runner.command(.ours, "pub")
            let process = try await ChildProcess.start(
                "pub", command[0], command.dropFirst() + ["-t", "lines", "-l", "-q", "1"])
            await scenario.own(process)
            try process.send("first")
            #expect(try await observer.message().text == "first")
            // Each has another length, which tells them apart.
            let lengths = (0..<20).map { 1_048_576 + $0 }
            scenario.broker.process.signal(SIGSTOP)
            // The last one of these does not fit, and no more is read before it does.
            for length in lengths.prefix(16) { try process.send(String(repeating: "x", count: length)) }
            // The stall: time for pub to find that line, which has to wait.
            try await Task.sleep(for: .seconds(2))
            scenario.broker.process.signal(SIGCONT)
            for length in lengths.dropFirst(16) { try process.send(String(repeating: "x", count: length)) }
            try process.endInput()
            for length in lengths { #expect(try await observer.message().size == length) }
            #expect(try await process.end() == .exit(0))
            #expect(await process.errors.all.isEmpty)
        }
    }

    // MARK: sub

    /// Lines of `sub` for four retained messages. Those with `-E` subscribe to nothing that is retained: whether a message
    /// comes with SUBACK or just after it, when the tool is about to leave, is chance.
    private static let subscribing: [[String]] = [
        ["-t", "r/#", "-C", "4"], ["-t", "r/#", "-C", "4", "-v"], ["-t", "r/#", "-C", "4", "-N"],
        ["-t", "r/#", "-C", "4", "-v", "-N"], ["-t", "r/a", "-t", "r/b", "-C", "2", "-v"],
        ["-t", "r/#", "-T", "r/b", "-C", "3", "-v"], ["-t", "r/#", "-C", "4", "-q", "2", "-F", "%t %q %r %m"],
        ["-t", "r/#", "-C", "4", "-F", "[%10t|%-10t|%5.2t|%010l|%-4l|%x|%X|%.3t]"],
        ["-t", "r/#", "-C", "4", "-V", "5", "-F", "%A|%C|%D|%F|%P|%R|%S|%5F|%20C|%-20C|%.2C|"],
        ["-t", "r/#", "-C", "4", "-F", "\\\\ \\0 \\a \\e \\r \\t \\v %% @@ %p\\n"],
        ["-t", "r/a", "-C", "1", "-F", "%12p|%-12p|%3p|%012p"],
        ["-t", "r/json", "-C", "1", "-V", "5", "-q", "1", "-F", "@Y-@m-@d %t"], ["-t", "none", "-E"],
        ["-V", "5", "-t", "none", "-E", "-D", "subscribe", "subscription-identifier", "5"],
        ["-V", "5", "-t", "r/a", "-C", "1", "-F", "%S", "-D", "subscribe", "subscription-identifier", "5"],
        ["-t", "r/a", "-U", "r/b", "-C", "1"], ["-t", "$share/g/r/a", "-t", "r/a", "-C", "1"],
        ["-t", "none", "-W", "1"], ["-t", "r/#", "-R", "-W", "1"], ["-t", "r/a", "-C", "5", "-W", "5"],
        ["-t", "r/json", "-F", "%J", "-N", "-W", "1", "-T", "r/json"], ["-t", "none", "-W", "1", "--quiet"],
    ]

    private static func retain(_ runner: ToolRunner) async throws {
        let json = #"{"a": [1, {"b": true}, []], "c": {"d": "x"}}"#
        for line in [
            ["-t", "r/a", "-m", "plain"], ["-t", "r/b", "-m", "grüße", "-q", "1"],
            ["-t", "r/bin", "-s"],
            [
                "-t", "r/json", "-m", json, "-q", "2", "-D", "publish", "user-property", "k", "v", "-D", "publish",
                "content-type", "application/json", "-D", "publish", "correlation-data", "abc", "-D", "publish",
                "response-topic", "r/t", "-D", "publish", "payload-format-indicator", "1",
            ],
        ] {
            let outcome = try await runner.run(.theirs, ["pub", "-r"] + line, input: "a\u{1}\nb\0\u{7F}c")
            #expect(outcome.end == .exit(0))
        }
    }

    @Test func theSameIsPrinted() async throws {
        try await ServeScenario.run { scenario in
            let runner = try await ToolRunner(scenario)
            try await Self.retain(runner)
            for line in Self.subscribing {
                let theirs = try await runner.run(.theirs, ["sub"] + line)
                let ours = try await runner.run(.ours, ["sub"] + line)
                #expect(ours.text == theirs.text, "\(line)")
                #expect(ours == theirs, "\(line)")
            }
        }
    }

    /// The JSON has the same members in the same order, apart from the time.
    @Test(arguments: ["%j", "%J"])
    func theSameJSONIsPrinted(format: String) async throws {
        try await ServeScenario.run { scenario in
            let runner = try await ToolRunner(scenario)
            try await Self.retain(runner)
            for line in [[], ["-V", "5"], ["--pretty"], ["-q", "2", "--pretty", "-V", "5"]] {
                let arguments = ["sub", "-t", "r/json", "-C", "1", "-F", format] + line
                let time = /"tst":\t?"[^"]*"/
                let theirs = try await runner.run(.theirs, arguments).text.replacing(time, with: "")
                let ours = try await runner.run(.ours, arguments)
                #expect(ours.end == .exit(0) && ours.errors.isEmpty)
                #expect(ours.text.replacing(time, with: "") == theirs, "\(line)")
            }
        }
    }

    @Test func retainedMessagesAreRemoved() async throws {
        for kind in ToolRunner.Kind.allCases {
            try await ServeScenario.run { scenario in
                let runner = try await ToolRunner(scenario)
                try await Self.retain(runner)
                let line = ["sub", "-t", "r/#", "-T", "r/a", "--remove-retained", "-W", "6", "-v"]
                #expect(try await runner.run(kind, line).end == .exit(27))
                // What is retained comes before what is published after that.
                let observer = try await scenario.observer("r/#")
                try await observer.publish("r/marker", "marker", qos: 1)
                #expect(try await observer.message().topic == "r/a", "\(kind)")
                #expect(try await observer.message().topic == "r/marker", "\(kind)")
            }
        }
    }

    // MARK: Ends

    /// Lines that fail, and whether they get the address of the broker.
    private static let failing: [(line: [String], connects: Bool)] = [
        (["pub", "-t", "a", "-m", "x"], true), (["pub", "-t", "a", "-m", "x", "-V", "5"], true),
        (["pub", "-t", "a", "-m", "x", "-u", "user", "-P", "wrong"], true),
        (["sub", "-t", "a", "-u", "user", "-P", "wrong", "-V", "mqttv5"], true), (["sub", "-t", "a", "-C", "1"], true),
        (["pub", "-h", "nowhere.invalid", "-t", "a", "-m", "x"], false),
        (["sub", "-h", "nowhere.invalid", "-t", "a"], false), (["pub", "-t", "a/#", "-m", "x"], true),
        (["pub", "-t", "a", "-m", "x", "-q", "3"], true), (["pub", "-t", "a"], true), (["pub", "-m", "x"], true),
        (["pub", "-t", "a", "-m", "x", "-n"], true), (["pub", "-t", "a", "-f", "/nowhere"], true),
        (["pub", "-t", "a", "-s"], true), (["pub", "-t", "a", "-m", "x", "--what"], true), (["sub"], true),
        (["sub", "-t", "a#"], true), (["sub", "-t", "a", "-F", "%z"], true), (["sub", "-t", "a", "-F", "%"], true),
        (["sub", "-t", "a", "-C", "0"], true), (["sub", "-t", "a", "-W", "0"], true), (["sub", "-t", "a", "-c"], true),
        (["sub", "-t", "a", "-R", "--retained-only"], true), (["pub", "-t", "a", "-n", "-k", "4"], true),
        (["pub", "-t", "a", "-n", "-V", "4"], true), (["pub", "-t", "a", "-n", "--cert", "x"], true),
        (["pub", "-t", "a", "-n", "-D", "publish", "what", "x"], true),
        (["pub", "-t", "a", "-n", "-i", "a", "-I", "b"], true),
        (["pub", "-t", "a", "-n", "--will-payload", "x"], true), (["pub", "-L", "http://h/t", "-n"], false),
    ]

    @Test func theSameLinesFailWithTheSameCode() async throws {
        var options = ServeScenario.Options()
        options.broker.users = ["user": "right"]
        try await ServeScenario.run(options) { scenario in
            let runner = try await ToolRunner(scenario)
            for (line, connects) in Self.failing {
                let theirs = try await runner.run(.theirs, line, connects: connects)
                let ours = try await runner.run(.ours, line, connects: connects)
                #expect(ours.end == theirs.end && ours.end != .exit(0), "\(line): \(ours) \(theirs)")
                #expect(ours.output.isEmpty)
                #expect(!ours.errors.isEmpty && !theirs.errors.isEmpty, "\(line)")
                #expect(ours.errors.first?.contains(#/^(Connection error|Error): .+/#) == true, "\(ours.errors)")
            }
            let right = try await runner.run(.ours, ["pub", "-t", "a", "-n", "-u", "user", "-P", "right", "-q", "1"])
            #expect(right.end == .exit(0))
        }
    }
}
