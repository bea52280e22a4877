import BridgeCore
import Logging

/// Renders one log event as one line, including its line break.
enum LogLine {
    static func render(
        _ format: LogConfiguration.Format, time: Timestamp, level: Logger.Level, message: String,
        metadata: Logger.Metadata
    ) -> String {
        let sorted = metadata.sorted { $0.key < $1.key }
        switch format {
        case .text:
            return text(time, level, message, sorted)
        case .json:
            return json(time, level, message, sorted)
        }
    }

    private typealias Sorted = [(key: String, value: Logger.MetadataValue)]

    /// `2026-11-24T08:30:00.123Z info listening address=127.0.0.1:1883`
    private static func text(_ time: Timestamp, _ level: Logger.Level, _ message: String, _ metadata: Sorted) -> String
    {
        var line = "\(time) \(level.rawValue) \(LogText.message(message))"
        for (key, value) in metadata { line += " \(LogText.value(key))=\(LogText.value("\(value)"))" }
        return line + "\n"
    }

    /// One JSON object with the metadata at its top level.
    private static func json(_ time: Timestamp, _ level: Logger.Level, _ message: String, _ metadata: Sorted) -> String
    {
        var line = "{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\",\"message\":\(LogText.json(message))"
        for (key, value) in metadata {
            let name = ["time", "level", "message"].contains(key) ? "\(key)_" : key
            line += ",\(LogText.json(name)):\(json(value))"
        }
        return line + "}\n"
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text):
            return LogText.json(text)
        case .stringConvertible(let value):
            return json(value)
        case .array(let values):
            return "[\(values.map(json).joined(separator: ","))]"
        case .dictionary(let values):
            let members = values.sorted { $0.key < $1.key }.map { "\(LogText.json($0.key)):\(json($0.value))" }
            return "{\(members.joined(separator: ","))}"
        }
    }

    private static func json(_ value: any CustomStringConvertible) -> String {
        switch value {
        case let value as any BinaryInteger: "\(value)"
        case let value as Double where value.isFinite: "\(value)"
        case let value as Bool: "\(value)"
        default: LogText.json(value.description)
        }
    }
}
