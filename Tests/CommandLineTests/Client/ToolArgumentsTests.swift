import ArgumentParser
import Foundation
import Testing

@testable import mqtt_quic_bridge

struct ToolArgumentsTests {
    @Test(arguments: [
        (
            ["pub", "-D", "publish", "content-type", "a", "-t", "x"],
            ["pub", "-D", "publish\0content-type\0a", "-t", "x"]
        ),
        (
            ["sub", "--property", "subscribe", "User-Property", "-D", "--", "-v"],
            ["sub", "--property", "subscribe\0User-Property\0-D\0--", "-v"]
        ),
        (["pub", "-m", "-D", "-t", "-D"], ["pub", "-m", "-D", "-t", "-D"]),
        (["pub", "-D", "publish"], ["pub", "-D", "publish"]), (["pub", "-D"], ["pub", "-D"]),
        (["pub", "-r", "-D", "will", "user-property", "a"], ["pub", "-r", "-D", "will\0user-property\0a"]),
        (["run", "-D", "a", "b", "c"], ["run", "-D", "a", "b", "c"]), ([], []),
    ])
    func propertiesBecomeOneArgument(arguments: [String], expected: [String]) {
        #expect(ToolArguments.folded(arguments) == expected)
    }

    /// An option that is missing in the list would take a `-D` that is its value for an option.
    @Test(arguments: ["pub", "sub", "bench"])
    func theListOfOptionsWithAValueIsComplete(command: String) throws {
        let error = #expect(throws: (any Error).self) {
            try BridgeCommand.parseAsRoot([command, "--experimental-dump-help"])
        }
        let text = BridgeCommand.message(for: try #require(error))
        let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let described = try #require(document["command"] as? [String: Any])
        let arguments = try #require(described["arguments"] as? [[String: Any]])
        var names: Set<String> = []
        for argument in arguments where argument["kind"] as? String == "option" {
            for name in argument["names"] as? [[String: String]] ?? [] {
                let dashes = name["kind"] == "short" ? "-" : "--"
                names.insert(dashes + (name["name"] ?? ""))
            }
        }
        #expect(names.count > 30)
        #expect(names.subtracting(ToolArguments.optionsWithValue) == ["-D", "--property"])
    }

    private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        try BridgeCommand.parseAsRoot(ToolArguments.folded(arguments))
    }

    @Test func allOptionsOfPub() throws {
        let command = try Self.parse([
            "pub", "-h", "b.example", "-p", "1", "-t", "-a", "-m", "-5", "-q", "2", "-r", "-i", "c", "-u", "u", "-P",
            "-p",
            "-k", "30", "-c", "-V", "5", "-d", "--quiet", "-x", "-1", "-M", "7", "--cafile", "ca", "--cert", "ce",
            "--key",
            "k", "--will-topic", "w", "--will-payload", "--x", "--will-qos", "1", "--will-retain", "--repeat", "3",
            "--repeat-delay", "0.25", "-D", "publish", "user-property", "a", "-b", "-D", "connect", "receive-maximum",
            "3",
            "--nodelay", "--tls-version", "tlsv1.3",
        ])
        let pub = try #require(command as? PubCommand)
        #expect(pub.broker.host == "b.example" && pub.broker.port == 1 && pub.broker.credentials.password == "-p")
        #expect(pub.broker.clientID == "c" && pub.broker.credentials.username == "u" && pub.broker.keepAlive == 30)
        #expect(pub.broker.keepsSession && pub.broker.debug && pub.broker.quiet)
        #expect(pub.broker.protocolVersion?.version == .v5_0 && pub.broker.sessionExpiry?.seconds == .max)
        #expect(pub.will.topic == "w" && pub.will.payload == "--x" && pub.will.qos?.qos == .atLeastOnce)
        let certificates = pub.trust.certificates
        #expect(pub.will.isRetained && certificates.caFile == "ca" && certificates.certificateFile == "ce")
        let plan = try pub.plan()
        #expect(plan.topic == "-a" && plan.source == .text("-5") && plan.qos == .exactlyOnce && plan.isRetained)
        #expect(plan.count == 3 && plan.delay == .milliseconds(250) && plan.window == 7)
        #expect(plan.properties.userProperties.map(\.value) == ["-b"])
    }

    @Test func allOptionsOfSub() throws {
        let command = try Self.parse([
            "sub", "-L", "mqtt-quic://u:p@h/from/url", "-t", "a/#", "-t", "b", "-v", "-F", "%t", "-N", "-C", "2", "-W",
            "3",
            "-R", "-T", "a/x", "-T", "a/y", "-U", "c", "--remove-retained", "-E", "--random-filter", "12.5", "--pretty",
            "-V", "5", "--retain-as-published", "-q", "1",
        ])
        let sub = try #require(command as? SubCommand)
        #expect(try sub.broker.url()?.password == "p")
        let plan = try sub.plan(version: .v5_0)
        #expect(plan.subscriptions.map(\.filter) == ["a/#", "b", "from/url"])
        #expect(
            plan.subscriptions.allSatisfy {
                $0.qos == .atLeastOnce && $0.retainAsPublished && $0.retainHandling == .never
            })
        #expect(plan.unsubscribed == ["c"] && plan.timeout == .seconds(3) && plan.endsWhenSubscribed)
        let rules = try sub.rules()
        #expect(rules.filteredOut == ["a/x", "a/y"] && rules.maximum == 2 && rules.chancePerMille == 125)
        #expect(rules.ignoresRetained && rules.removesRetained && !rules.onlyRetained)
    }

    @Test(arguments: [
        (["pub", "-t", "a"], "the message is missing"), (["pub", "-m", "a"], "the topic is missing"),
        (["pub", "-t", "a/+", "-m", "x"], "without + and #"), (["pub", "-t", "", "-m", "x"], "topic name is empty"),
        (["pub", "-t", "a", "-m", "x", "-n"], "exclude each other"),
        (["pub", "-t", "a", "-l", "--repeat", "2"], "--repeat"),
        (["pub", "-t", "a", "-n", "--repeat", "0"], "--repeat: 0"),
        (["pub", "-t", "a", "-n", "-q", "3"], "use 0, 1 or 2"),
        (["pub", "-t", "a", "-n", "--repeat-delay", "-1"], "0 to 86400"),
        (["pub", "-t", "a", "-n", "-V", "31"], "use 311 or 5"),
        (["pub", "-t", "a", "-n", "-V", "4"], "is not a version"),
        (["pub", "-t", "a", "-n", "-x", "4294967296"], "-1 for ever"),
        (["pub", "-t", "a", "-n", "-p", "x"], "x"), (["sub"], "the topic is missing"),
        (["sub", "-t", "a#"], "-t \"a#\""),
        (["sub", "-t", "a", "-T", "+a"], "-T \"+a\""), (["sub", "-t", "a", "-U", ""], "-U"),
        (["sub", "-t", "a", "-R", "--retained-only"], "together they print nothing"),
        (["sub", "-t", "a", "-C", "0"], "-C: 0"),
        (["sub", "-t", "a", "-W", "0"], "-W: 0"),
        (["sub", "-t", "a", "-W", "9223372036854775807"], "from 1 to 2147483647"),
        (["sub", "-t", "a", "-F", "%"], "incomplete"),
        (["sub", "-t", "a", "--random-filter", "0"], "0.1 to 100.0"), (["sub", "-t", "a", "-m", "x"], "-m"),
        (["sub", "-t", "a", "-V", "311", "--retain-as-published"], "write -V 5"),
        (["pub", "-L", "http://u:secret@h/t", "-n"], "the scheme \"http\" is not known"),
        (["pub", "-t", "a", "-n", "-v"], "-v"), (["pub", "-h"], "-h"),
    ])
    func wrongArgumentsAreNamed(arguments: [String], words: String) {
        let error = #expect(throws: (any Error).self) { try Self.parse(arguments) }
        guard let error else { return }
        #expect(BridgeCommand.exitCode(for: error) == .validationFailure)
        let message = BridgeCommand.message(for: error)
        #expect(message.contains(words), "\(message)")
        #expect(!BridgeCommand.fullMessage(for: error).contains("secret"))
    }

    @Test(arguments: [
        (["-A", "::1"], "-A"), (["--capath", "x"], "--cafile"), (["--ciphers", "x"], "TLS 1.3"),
        (["--insecure"], "always verified"),
        (["--keyform", "engine"], "PEM"), (["--tls-engine", "x"], "PEM"), (["--psk", "x"], "certificates only"),
        (["--psk-identity", "x"], "certificates only"), (["--proxy", "x"], "UDP"), (["--unix", "x"], "UDP"),
        (["-S"], "-h"),
    ])
    func optionsOfMosquittoThatCannotWorkAreRefused(option: [String], reason: String) {
        for command in [["pub", "-t", "a", "-n"], ["sub", "-t", "a"]] {
            let error = #expect(throws: (any Error).self) { try Self.parse(command + option) }
            guard let error else { return }
            #expect(BridgeCommand.message(for: error).contains(reason))
        }
    }

    @Test func helpIsOnlyTheLongOption() throws {
        #expect(BridgeCommand.helpMessage(for: PubCommand.self).contains("-h, --host <host>"))
        #expect(BridgeCommand.helpMessage(for: SubCommand.self).contains("-h, --host <host>"))
        #expect(try !(Self.parse(["pub", "--help"]) is PubCommand))
    }
}
