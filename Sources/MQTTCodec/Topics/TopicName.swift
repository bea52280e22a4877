/// The rules for the topics of messages (MQTT 5 4.7).
package enum TopicName {
    /// - Parameter version: The specification whose clauses the error names. The rules are the same in all versions.
    /// - Throws: If `name` is empty, is longer than 65 535 bytes of UTF-8, or holds `+`, `#` or U+0000.
    package static func validate(_ name: String, version: MQTTVersion = .v5_0) throws(MQTTError) {
        try validate(name, "topic name", wildcard: .wildcardInName, version)
    }

    static func validate(
        _ name: String, _ field: String, wildcard: Clause, _ version: MQTTVersion
    ) throws(MQTTError) {
        try TopicFilter.validateLength(name, field, version)
        // A string's bytes are looked at in place, because going through it byte by byte costs several times as much.
        let forbidden = name.utf8.withContiguousStorageIfAvailable { firstForbidden($0) } ?? firstForbidden(name.utf8)
        switch forbidden {
        case nil: return
        case 0: throw MQTTError(.malformed, .nullInTopic, version, "\(field) holds U+0000")
        default: throw MQTTError(.malformed, wildcard, version, "\(field) holds a wildcard")
        }
    }

    private static func firstForbidden(_ bytes: some Sequence<UInt8>) -> UInt8? {
        bytes.first { $0 == 0 || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }
    }
}
