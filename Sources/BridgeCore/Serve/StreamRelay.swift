import MQTTCodec
import NIOCore

/// Connects one stream of a client to a TCP connection to the broker, and decides what the end of one side means for the
/// other.
///
/// ```
///   awaitingConnect ── whole CONNECT ──▶ connecting ── TCP is there ──▶ relaying
///        │ no CONNECT: reset                │ unreachable: CONNACK, FIN
///        ▼                                  ▼
///      over                             clientLeft
///
///   relaying ── client's FIN ──────────▶ brokerLeft ── broker's end, or time is up: FIN ──▶ over
///            ── broker's end ──────────▶ judging ──── the broker is gone: reset ───────────▶ over
///                                           │ it is there: FIN
///                                           ▼
///                                       clientLeft ── client's end, or time is up: reset ─▶ over
///            ── shutdown in a packet ──▶ completing ── packet whole: DISCONNECT, FIN ──────▶ clientLeft
///            ── reset, lost: TCP reset ─▶ over
/// ```
/// In `brokerLeft` only the broker's side is still open, and in `clientLeft` only the client's. In `judging` the relay
/// waits to learn whether the broker ended this session or is going away itself (see ``BrokerPulse``). Packets pass
/// through unchanged; only their fixed headers and the protocol level in CONNECT are read.
package struct StreamRelay: Sendable {
    /// How long a client may take to end its stream after the broker's end. The time starts again whenever it takes some
    /// of the bytes that are on their way to it.
    package static let goodbye: Duration = .seconds(3)
    /// The same for the broker after the client's end. A broker may stand still for a while, because of a slow disk or a
    /// move to another machine, and a reset would take from it what it has not read yet: messages, and the DISCONNECT
    /// that keeps it from publishing the will.
    package static let brokerPatience: Duration = .seconds(30)

    /// The limits of a relay.
    package struct Context: Sendable {
        /// The time limit for a whole CONNECT, from the stream's first byte.
        package var connectWithin: Duration
        /// The longest CONNECT, in bytes.
        package var maximumConnect: Int

        package init(connectWithin: Duration, maximumConnect: Int) {
            self.connectWithin = connectWithin
            self.maximumConnect = maximumConnect
        }
    }

    enum State: Sendable {
        case awaitingConnect
        case connecting(clientHasEnded: Bool)
        case relaying
        case brokerLeft
        /// `why` is `nil` if the connection ended rather than broke.
        case judging(why: String?, clientHasEnded: Bool)
        case completing
        case clientLeft
        case over
    }

    let context: Context
    var state = State.awaitingConnect
    /// Bytes that came before the TCP connection was there. The stream's flow control window limits them.
    var held: [ByteBuffer] = []
    /// How many bytes wait for the TCP connection.
    package internal(set) var waitingBytes = 0
    /// Whether the latest bytes for the broker are all from the middle of one packet, so that the broker can do nothing
    /// with them yet.
    package private(set) var isInnerPart = false
    var up = PacketScanner()
    var down = PacketScanner()
    private var messagesTaken: (up: UInt32, down: UInt32) = (0, 0)

    package init(context: Context) {
        self.context = context
    }

    /// The first actions of a relay.
    package func started() -> [RelayAction] {
        [.start(.connectPacket, after: context.connectWithin)]
    }

    /// Follows bytes that the broker gets now.
    mutating func follow(_ bytes: ByteBuffer) {
        isInnerPart = up.missingBytes > bytes.readableBytes
        up.scan(bytes)
    }

    /// How many messages of the client have passed since the last call.
    package mutating func takeMessagesUp() -> UInt32 {
        defer { messagesTaken.up = up.messages }
        return up.messages &- messagesTaken.up
    }

    /// How many messages of the broker have passed since the last call.
    package mutating func takeMessagesDown() -> UInt32 {
        defer { messagesTaken.down = down.messages }
        return down.messages &- messagesTaken.down
    }

    /// Whether both sides have ended, so that the relay has nothing more to do.
    package var isOver: Bool {
        if case .over = state { true } else { false }
    }

    /// Whether the TCP connection to the broker is in use.
    package var isRelaying: Bool {
        switch state {
        case .relaying, .brokerLeft, .completing: true
        case .awaitingConnect, .connecting, .judging, .clientLeft, .over: false
        }
    }

    /// The version that CONNECT names. A version that does not exist is treated as 3.1.1.
    package var version: MQTTVersion {
        up.protocolLevel.flatMap(MQTTVersion.init(rawValue:)) ?? .v3_1_1
    }
}
