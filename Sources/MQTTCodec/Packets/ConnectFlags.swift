/// The connect flags (MQTT 5 3.1.2.3), which tell what fields the payload has.
struct ConnectFlags: OptionSet {
    var rawValue: UInt8

    static let reserved = Self(rawValue: 1 << 0)
    static let cleanStart = Self(rawValue: 1 << 1)
    static let will = Self(rawValue: 1 << 2)
    static let willRetain = Self(rawValue: 1 << 5)
    static let password = Self(rawValue: 1 << 6)
    static let userName = Self(rawValue: 1 << 7)

    /// 0...3, of which 3 does not exist.
    var willQoS: UInt8 {
        get { rawValue >> 3 & 0b11 }
        set { rawValue = rawValue & 0b1110_0111 | newValue << 3 }
    }

    /// Checks the rules of 3.1.1 and 5.0. In 3.1, unused bits are ignored.
    func check(_ reader: PacketReader) throws(MQTTError) {
        guard willQoS != 3 else { throw reader.malformed(.willQoS, "will QoS 3") }
        guard reader.version != .v3_1 else { return }
        guard !contains(.reserved) else {
            throw reader.malformed(.connectReservedFlag, "the reserved connect flag is not 0")
        }
        if !contains(.will) {
            guard willQoS == 0 else { throw reader.malformed(.willQoSWithoutWill, "will QoS without a will") }
            guard !contains(.willRetain) else {
                throw reader.malformed(.willRetainWithoutWill, "will retain without a will")
            }
        }
        guard reader.version.hasProperties || contains(.userName) || !contains(.password) else {
            throw reader.malformed(.passwordWithoutUserName, "a password without a user name")
        }
    }
}
