import Foundation

/// All that a call of the suite has measured: the content of the JSON file.
package struct SuiteReport: Sendable, Codable {
    /// What was not measured, and why.
    package struct LeftOut: Sendable, Codable, Equatable {
        package let what: String
        package let why: String

        package init(_ what: String, _ why: String) {
            self.what = what
            self.why = why
        }
    }

    /// The machine and the programs, for whoever compares two files.
    package struct Setting: Sendable, Codable {
        package let date: String
        package let cores: Int
        package let kernel: String
        /// `namespaces` or `loopback`.
        package let network: String
        /// The first line that each program says about its version.
        package let versions: [String: String]
    }

    package let setting: Setting
    package var results: [ConditionResult] = []
    package var leftOut: [LeftOut] = []
    package var failures: [LeftOut] = []
    /// How long everything took.
    package var seconds: Double = 0

    package init(setting: Setting) {
        self.setting = setting
    }

    enum CodingKeys: String, CodingKey {
        case setting, results, failures, seconds
        case leftOut = "left_out"
    }

    package var json: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return try encoder.encode(self)
        }
    }
}
