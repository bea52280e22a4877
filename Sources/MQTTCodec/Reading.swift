/// How strictly a decoder reads what a peer sends.
///
/// A server judges its client's packets; a gateway that only passes them on to a server does not. Both have to know
/// where a packet ends.
package enum Reading: Sendable {
    /// Everything must follow the specification.
    case strict
    /// PUBLISH may have any flags and contents, because a broker passes on what others have sent. The rest is strict.
    case lenientMessages
    /// Packets of types 1...15 may have any flags and contents. The first packet must still be CONNECT.
    case lenient
    /// Like `lenient`, and not even the head of a PUBLISH is read.
    case framesOnly

    /// Whether nothing but the length of a packet of that type is checked.
    func passes(_ type: PacketType) -> Bool {
        switch self {
        case .strict: false
        case .lenientMessages: type == .publish
        case .lenient, .framesOnly: true
        }
    }
}
