/// One filter of a SUBSCRIBE with its options (MQTT 5 3.8.3.1). In 3.1 and 3.1.1 there is only the QoS.
package struct Subscription: Sendable, Equatable {
    package var filter: String
    /// The highest QoS at which messages may be sent.
    package var qos: QoS
    package var noLocal: Bool
    package var retainAsPublished: Bool
    /// 0...2
    package var retainHandling: UInt8

    package init(
        filter: String, qos: QoS = .atMostOnce, noLocal: Bool = false, retainAsPublished: Bool = false,
        retainHandling: UInt8 = 0
    ) {
        self.filter = filter
        self.qos = qos
        self.noLocal = noLocal
        self.retainAsPublished = retainAsPublished
        self.retainHandling = retainHandling
    }
}
