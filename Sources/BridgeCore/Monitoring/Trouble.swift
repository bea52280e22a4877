/// Something that went wrong lately, in the words of the log.
package struct Trouble: Codable, Sendable, Equatable {
    /// When it happened last, in seconds since 1970-01-01T00:00:00Z.
    package var time: Double
    /// `warning`, `error` or `critical`.
    package var level: String
    /// The constant message of the log line.
    package var message: String
    /// How often it happened since it was first noted.
    package var count: Int
    /// The details of the last time, as in the log; no secrets.
    package var fields: [String: String]

    package init(time: Double, level: String, message: String, count: Int, fields: [String: String]) {
        self.time = time
        self.level = level
        self.message = message
        self.count = count
        self.fields = fields
    }
}
