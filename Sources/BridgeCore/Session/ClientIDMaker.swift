/// Makes client ids for devices that have none.
package enum ClientIDMaker {
    /// A new client id of 19 characters, a length that every server has to accept ([MQTT-3.1.3-5]).
    @Sendable package static func make() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return "mqb" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
