import Testing

@testable import mqtt_quic_bridge

struct ArgumentEncodingTests {
    private static func problem(_ arguments: [UInt8]...) -> String? { ArgumentEncoding.problem(with: arguments) }

    @Test func utf8IsFine() {
        #expect(Self.problem() == nil)
        #expect(Self.problem(Array("pub".utf8), Array("-m".utf8), Array("é😀".utf8), []) == nil)
    }

    @Test func theArgumentIsNamedButNotShown() {
        let problem = Self.problem(Array("pub".utf8), Array("-P".utf8), Array("secret".utf8) + [0xFF])
        #expect(problem == "argument 3 is not UTF-8 text")
    }

    @Test(arguments: ["-m", "--message"])
    func aMessageCanGoAnotherWay(option: String) {
        let problem = Self.problem(Array("pub".utf8), Array(option.utf8), [0xFF, 0xFE])
        #expect(problem == "-m: the message is not UTF-8 text; -f (a file) and -s (standard input) take any bytes")
    }

    @Test func theProcessHasItsOwn() {
        let arguments = ArgumentEncoding.ofProcess.map { String(decoding: $0, as: UTF8.self) }
        #expect(arguments == Array(CommandLine.arguments.dropFirst()))
    }
}
