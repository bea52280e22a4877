import QUICTransport
import TestSupport

/// A file of tickets gives those that are sound, in their order, whatever is around them, and a key file a key of the
/// right length or none.
///
/// Without its first byte, which chooses how a sound file is damaged, the input is a file, a ticket and a key.
package enum TicketFileTarget: FuzzTarget {
    package static let name = "ticket-file"
    package static let summary = "a damaged file of tickets gives the sound ones, and a key file its key"
    package static let maximumLength = 2048
    package static let seeds: [[UInt8]] = [
        [0] + header, [1, 40] + header, [2, 200, 1] + header + [UInt8](repeating: 7, count: 36),
        [3] + header + [UInt8](repeating: 1, count: 32) + [0, 0, 0, 1, 9], [4] + sample(1).encoded,
        [5, 90, 0x80] + sample(2).encoded.dropLast(32), [6] + [UInt8](repeating: 3, count: QUICTicketKey.length),
    ]
    package static let words = [header]

    private static let header = Array("mqtt-quic-bridge tickets 1\n".utf8)

    package static func run(_ input: [UInt8]) throws {
        var choices = Choices(bytes: input)
        let choice = choices.byte()
        try checkDamaged(choice, choices)
        let bytes = choices.rest()
        let contents = TicketFile.decode(bytes)
        let size = contents.entries.reduce(0) { $0 + $1.ticket.encoded.count }
        try require(size <= bytes.count, "\(size) bytes of tickets in \(bytes.count)")
        if !contents.isDamaged, contents.unusable == 0 {
            try require(TicketFile.encode(contents.entries) == bytes, "a sound file is written in another way")
        }
        // Behind a right digest, so that the fields are read, too.
        if let ticket = QUICResumption(encoded: QUICResumption.sealed(bytes)) {
            try require(QUICResumption(encoded: ticket.encoded) == ticket, "a ticket becomes another one")
            try require(ticket.isExpired(at: ticket.expiresAt), "a ticket outlives its end")
        }
        let key = QUICTicketKey(bytes: bytes)
        try require((key == nil) == (bytes.count != QUICTicketKey.length), "a key of \(bytes.count) bytes")
        if let key { try require(key.secret(for: "x") == key.secret(for: "x"), "a key gives two secrets") }
    }

    /// Damages a file of two sound tickets at one place: the one that is not hit is still there.
    private static func checkDamaged(_ choice: UInt8, _ choices: Choices) throws {
        var choices = choices
        let entries = [1, 2].map { number in
            TicketFile.Entry(key: [UInt8](repeating: number, count: 32), ticket: sample(number))
        }
        var file = TicketFile.encode(entries)
        let firstEnd = header.count + 36 + sample(1).encoded.count
        let place = (Int(choices.byte()) << 8 | Int(choices.byte())) % file.count
        switch choice & 3 {
        case 0: file[place] ^= max(choices.byte(), 1)
        case 1: file.removeSubrange(place...)
        case 2: file.insert(contentsOf: choices.take(8), at: place)
        default: file.remove(at: place)
        }
        let found = TicketFile.decode(file)
        try require(found.entries.count <= 3, "more tickets than there were")
        for entry in found.entries {
            try require(entries.contains { $0.ticket == entry.ticket }, "a ticket that nobody wrote")
        }
        if place >= firstEnd { try require(found.entries.first == entries.first, "the first ticket is lost") }
    }

    private static func sample(_ number: UInt8) -> QUICResumption {
        QUICResumption(
            session: [UInt8](repeating: number, count: 60), earlyParameters: [1, 2, 3], serverName: "broker.test",
            trust: [UInt8](repeating: 7, count: 32), alpn: "mqtt", allowsEarlyData: true, receivedAt: 1_795_000_000,
            lifetime: 7_200)
    }
}
