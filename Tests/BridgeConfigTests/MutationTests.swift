import Foundation
import TestSupport
import Testing

@testable import BridgeConfig

/// Configurations that someone's cat walked over: whatever they hold, the loader answers.
struct MutationTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func mutatedExamplesNeverCrash(_ seed: UInt64) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let yaml =
            try String(contentsOf: root.appendingPathComponent("bridge.yaml.example"), encoding: .utf8)
            .split(separator: "\n").filter { !$0.hasPrefix("#") }.joined(separator: "\n").replacing(
                "  # client_id", with: "  client_id"
            )
            .replacing("  # server_name", with: "  server_name").replacing(
                "  # mode: passthrough", with: "  mode: inject"
            )
            .replacing("  mapping: auto", with: "  mapping: data-stream").replacing(
                "  # identity:", with: "  identity:"
            )
            .replacing("    # client_id", with: "    client_id").replacing("    # version", with: "    version")
            + "\nserve: {listen: [\"[::]:1\"], certificate: ca.pem, key: ca.pem, broker_host: a, retry: auto}\n"
        let dotEnv = try String(contentsOf: root.appendingPathComponent("deploy/.env.example"), encoding: .utf8)
        let folder = try TemporaryFolder()
        var random = SplitMix64(seed: seed)
        for _ in 0..<300 {
            let (text, env) = (mutated(yaml, using: &random), mutated(dotEnv, using: &random))
            check { () throws(ConfigurationErrors) in
                _ = try ConfigurationLoader.load(.run, text: text, folder: folder.path, dotEnv: env)
            }
            check { () throws(ConfigurationErrors) in
                _ = try ConfigurationLoader.load(.serve, text: text, folder: folder.path, dotEnv: env)
            }
        }
    }

    private func check(_ load: () throws(ConfigurationErrors) -> Void) {
        do {
            try load()
        } catch {
            #expect(!error.all.isEmpty)
            #expect(error.all.allSatisfy { !$0.description.contains("\n") })
        }
    }

    private func mutated(_ text: String, using random: inout SplitMix64) -> String {
        let pieces = Array("abz09:-[]{}&*!|>'\"%@`#,?. \t\n\u{0}\u{7}\u{FEFF}\u{301}é\u{E000}=$\\~".unicodeScalars)
        var scalars = Array(text.unicodeScalars)
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let index = Int.random(in: 0..<scalars.count, using: &random)
            let piece = pieces[Int.random(in: 0..<pieces.count, using: &random)]
            switch Int.random(in: 0..<3, using: &random) {
            case 0: scalars[index] = piece
            case 1: scalars.insert(piece, at: index)
            default: scalars.removeSubrange(index..<min(index + Int.random(in: 1...20, using: &random), scalars.count))
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
