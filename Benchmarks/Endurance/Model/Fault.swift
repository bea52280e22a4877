/// Something that must not happen.
package struct Fault: Sendable, Codable, Equatable {
    package enum Kind: String, CaseIterable, Sendable, Codable {
        case lost
        case doubled
        case outOfOrder = "out of order"
        case unknown = "never sent"
        case unacknowledged = "not acknowledged"
        case stalled
        case willMissing = "will missing"
        case willLate = "will late"
        case willWrong = "will not due"
        case stateWrong = "state not restored"
        case retainedWrong = "retained value wrong"
        case closed = "connection closed"
        case refused = "not accepted"
        case sessionLost = "session lost"
        case missing = "device not back"
        case grown
        case ended = "program ended"
        case protocolError = "protocol error"
    }

    package let kind: Kind
    package var group: Group?
    package var device: Int?
    /// What kind of message or program it is about, and the device's kind.
    package let subject: String
    package var sequence: Int?
    /// In seconds from the beginning of the run.
    package let time: Double
    /// What else was going on.
    package var troubles: [String] = []
    package var detail = ""

    package var text: String {
        var parts = [kind.rawValue, group?.rawValue, device.map { "device \($0)" }, subject].compactMap(\.self)
        if let sequence { parts.append("number \(sequence)") }
        parts.append("at \(Int(time.rounded())) s")
        if !detail.isEmpty { parts.append(detail) }
        parts.append(troubles.isEmpty ? "in calm" : "during \(troubles.joined(separator: ", "))")
        return parts.joined(separator: ", ")
    }
}
