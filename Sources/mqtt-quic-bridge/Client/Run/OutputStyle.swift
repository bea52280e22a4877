import NIOCore

/// How `sub` prints a message.
enum OutputStyle: Equatable, Sendable {
    /// The payload. An empty one is not printed at all, as by mosquitto_sub.
    case payload
    /// `-v`: topic and payload, or `(null)` instead of an empty one.
    case verbose
    /// `-F`
    case format(MessageFormat, isPretty: Bool)

    /// Appends the message as it is printed.
    ///
    /// - Parameter endsLine: Whether a line break follows it (not with `-N`).
    /// - Returns: What could not be printed; `nil` if all could.
    func render(
        _ message: ReceivedMessage, at time: MessageTime, endsLine: Bool, into output: inout ByteBuffer
    ) -> String? {
        let isEmpty = message.payload.readableBytes == 0
        var problem: String?
        switch self {
        case .payload:
            guard !isEmpty else { return nil }
            output.writeImmutableBuffer(message.payload)
        case .verbose:
            guard !isEmpty || endsLine else { return nil }
            output.writeString("\(message.topic) ")
            if isEmpty { output.writeString("(null)") } else { output.writeImmutableBuffer(message.payload) }
        case .format(let format, let isPretty):
            do {
                try format.render(message, at: time, isPretty: isPretty, into: &output)
            } catch {
                problem = "the message on topic \(message.topic) is not valid JSON, which %J needs: \(error.problem)"
            }
        }
        if endsLine { output.writeInteger(UInt8(ascii: "\n")) }
        return problem
    }
}
