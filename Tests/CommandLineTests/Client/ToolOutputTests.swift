import ArgumentParser
import MQTTQUICClient
import NIOCore
import Synchronization
import Testing

@testable import mqtt_quic_bridge

struct ToolOutputTests {
    private static func text(
        _ style: OutputStyle, _ payload: String, endsLine: Bool = true
    ) -> (output: String, problem: String?) {
        var output = ByteBuffer()
        let message = ReceivedMessage(topic: "t/x", payload: ByteBuffer(string: payload))
        let problem = style.render(message, at: .now(), endsLine: endsLine, into: &output)
        return (String(buffer: output), problem)
    }

    /// What mosquitto_sub prints.
    @Test func styles() throws {
        #expect(Self.text(.payload, "a").output == "a\n")
        #expect(Self.text(.payload, "a", endsLine: false).output == "a")
        #expect(Self.text(.payload, "").output.isEmpty)
        #expect(Self.text(.verbose, "a").output == "t/x a\n")
        #expect(Self.text(.verbose, "a", endsLine: false).output == "t/x a")
        #expect(Self.text(.verbose, "").output == "t/x (null)\n")
        #expect(Self.text(.verbose, "", endsLine: false).output.isEmpty)
        let format = try MessageFormat(parsing: "%t")
        #expect(Self.text(.format(format, isPretty: false), "").output == "t/x\n")
        #expect(Self.text(.format(format, isPretty: false), "", endsLine: false).output == "t/x")
    }

    @Test func aPayloadThatIsNoJSONIsReported() throws {
        let result = Self.text(.format(try MessageFormat(parsing: "%J"), isPretty: false), "{")
        #expect(result.output == "\n")
        #expect(
            result.problem
                == "the message on topic t/x is not valid JSON, which %J needs: at byte 2, a name in double quotes was expected"
        )
    }

    @Test func exitCodes() {
        func code(_ error: MQTTClientError, _ version: MQTTVersion = .v5_0) -> Int32 {
            ToolExit.code(for: error, version).rawValue
        }
        func refused(_ reason: MQTTReasonCode) -> MQTTClientError {
            .refused(reason, reason: nil, serverReference: nil)
        }
        #expect(code(refused(.notAuthorized)) == 135 && code(refused(.notAuthorized), .v3_1_1) == 5)
        #expect(code(refused(.badUserNameOrPassword), .v3_1_1) == 4 && code(refused(.serverUnavailable), .v3_1_1) == 3)
        #expect(code(refused(.clientIdentifierNotValid), .v3_1_1) == 2)
        #expect(code(refused(.unsupportedProtocolVersion), .v3_1_1) == 1 && code(refused(.banned)) == 138)
        #expect(code(.unreachable(address: "a", detail: "d")) == 1 && code(.nameNotFound(host: "h", detail: "d")) == 1)
        #expect(code(.certificateRefused(host: "h", detail: "d")) == 1 && code(.connectionLost(detail: "d")) == 7)
        #expect(code(.sessionTakenOver) == 7 && code(.protocolError(detail: "d")) == 2)
        #expect(code(.packetTooLarge(bytes: 2, limit: 1)) == 25 && code(.notSupportedByBroker("x")) == 10)
        #expect(ToolExit.signal(15).rawValue == 143 && ToolExit.timedOut.rawValue == 27)
    }

    @Test func theConsoleIsSilentIfItIsAskedToBe() {
        for isQuiet in [false, true] {
            let lines = LineCollector()
            let console = ToolConsole(isQuiet: isQuiet) { lines.append($0) }
            console.error("a")
            console.warning("b")
            console.report(.cancelled)
            console.report(.refused(.notAuthorized, reason: nil, serverReference: nil))
            console.report(.connectionLost(detail: "x"))
            guard !isQuiet else {
                #expect(lines.all.isEmpty)
                continue
            }
            #expect(lines.all.prefix(2) == ["Error: a\n", "Warning: b\n"] && lines.all.count == 4)
            #expect(
                lines.all[2].hasPrefix("Connection error: the broker refused the connection: not authorized (0x87)"))
            #expect(lines.all[3].hasPrefix("Error: the connection is lost: x"))
        }
    }
}

private final class LineCollector: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func append(_ line: String) { lines.withLock { $0.append(line) } }
}
