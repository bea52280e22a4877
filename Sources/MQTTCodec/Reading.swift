/// How strictly a decoder reads what a peer sends.
///
/// A server judges its client's packets; who only passes them on to a server does not. Where a packet ends has to be known
/// in either case.
package enum Reading: Sendable {
    /// Everything is as the specification has it.
    case strict
    /// PUBLISH may be whatever its sender made it, the rest is strict: what a broker passes on is not the broker's making.
    case lenientMessages
    /// Types 1...15 with any flags and any contents. Before CONNECT nothing else may come, whatever its flags are.
    case lenient
    /// The same, and not even the head of a PUBLISH is read.
    case framesOnly

    /// Whether a packet of that type is only checked for where it ends.
    func passes(_ type: PacketType) -> Bool {
        switch self {
        case .strict: false
        case .lenientMessages: type == .publish
        case .lenient, .framesOnly: true
        }
    }
}
