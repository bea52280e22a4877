/// A topic or filter with what brokers let a client write in front of it, which is no part of the topic: routes see
/// what follows, and the marker is put back in front of what they made of it.
struct MarkedTopic {
    /// `$share/group/`, `$queue/`, `$exclusive/`, `$delayed/60/`, or empty.
    let marker: Substring
    let topic: Substring

    /// What may stand before a filter: shared (MQTT 5 4.8.2, in EMQX also for 3.1.1) and exclusive subscriptions.
    init(filter: String) {
        let marker =
            Self.end(of: "$share/", in: filter, parameter: Self.isShareName)
            ?? Self.end(of: "$queue/", in: filter)
            ?? Self.end(of: "$exclusive/", in: filter)
        self.init(filter, markerEnd: marker)
    }

    /// What may stand before the topic of a PUBLISH or a will: a delay in seconds.
    init(publishTopic topic: String) {
        self.init(topic, markerEnd: Self.end(of: "$delayed/", in: topic, parameter: Self.isSeconds))
    }

    /// A topic that is one as it is.
    init(unmarked topic: String) {
        self.init(topic, markerEnd: nil)
    }

    /// Any of the four, whatever follows: a route is written without them.
    static func isMarker(firstLevel: Substring) -> Bool {
        ["$share", "$queue", "$exclusive", "$delayed"].contains { firstLevel.hasSameBytes(as: $0) }
    }

    /// The marker put back in front of what a route made of the topic.
    func replacingTopic(with mapped: String) -> String {
        marker + mapped
    }

    private init(_ text: String, markerEnd: String.Index?) {
        let end = markerEnd ?? text.startIndex
        marker = text[..<end]
        topic = text[end...]
    }

    /// Where the marker ends; `nil` where the text does not begin with it, or with nothing behind it.
    private static func end(
        of prefix: String, in text: String, parameter isValid: ((Substring) -> Bool)? = nil
    ) -> String.Index? {
        guard text.utf8.starts(with: prefix.utf8) else {
            return nil
        }
        var end = text.utf8.index(text.startIndex, offsetBy: prefix.utf8.count)
        if let isValid {
            guard let slash = text.utf8[end...].firstIndex(of: UInt8(ascii: "/")), isValid(text[end..<slash]) else {
                return nil
            }
            end = text.utf8.index(after: slash)
        }
        return end < text.endIndex ? end : nil
    }

    /// [MQTT-4.8.2-1], [MQTT-4.8.2-2]
    private static func isShareName(_ name: Substring) -> Bool {
        !name.utf8.isEmpty && !name.utf8.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") })
    }

    private static func isSeconds(_ text: Substring) -> Bool {
        !text.utf8.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
