/// A topic or filter, and the marker that brokers let a client write in front of it. The marker is not part of the
/// topic: routes see only what follows it, and it is put back in front of the mapped topic.
struct MarkedTopic {
    /// `$share/group/`, `$queue/`, `$exclusive/`, `$delayed/60/`, or empty.
    let marker: Substring
    let topic: Substring

    /// A filter may have the marker of a shared (MQTT 5 4.8.2, in EMQX also for 3.1.1) or exclusive subscription.
    init(filter: String) {
        let marker =
            Self.end(of: "$share/", in: filter, parameter: Self.isShareName)
            ?? Self.end(of: "$queue/", in: filter)
            ?? Self.end(of: "$exclusive/", in: filter)
        self.init(filter, markerEnd: marker)
    }

    /// The topic of a PUBLISH or a will may have the marker of a delay in seconds.
    init(publishTopic topic: String) {
        self.init(topic, markerEnd: Self.end(of: "$delayed/", in: topic, parameter: Self.isSeconds))
    }

    /// The broker delivers topics without a marker.
    init(unmarked topic: String) {
        self.init(topic, markerEnd: nil)
    }

    /// Whether the first level of a topic is that of a marker, whatever follows it. No route may begin like that.
    static func isMarker(firstLevel: Substring) -> Bool {
        ["$share", "$queue", "$exclusive", "$delayed"].contains { firstLevel.hasSameBytes(as: $0) }
    }

    /// The mapped topic with the marker in front of it.
    func replacingTopic(with mapped: String) -> String {
        marker.isEmpty ? mapped : marker + mapped
    }

    private init(_ text: String, markerEnd: String.Index?) {
        let end = markerEnd ?? text.startIndex
        marker = text[..<end]
        topic = text[end...]
    }

    /// Where the marker ends; `nil` if the text does not begin with it, or if nothing follows it.
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
