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
        for byte in name.utf8 {
            switch byte {
            case 0: throw MQTTError(.malformed, .nullInTopic, version, "\(field) holds U+0000")
            case UInt8(ascii: "+"), UInt8(ascii: "#"):
                throw MQTTError(.malformed, wildcard, version, "\(field) holds a wildcard")
            default: continue
            }
        }
    }
}
