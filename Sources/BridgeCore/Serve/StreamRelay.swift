import MQTTCodec
import NIOCore

/// One stream of a client and its TCP connection to the broker: what an end of one side means for the other.
///
/// ```
///   awaitingConnect ── whole CONNECT ──▶ connecting ── TCP is there ──▶ relaying
///        │ no CONNECT: reset                │ unreachable: CONNACK, FIN    │
///        ▼                                  ▼                              │
///      over                             clientLeft?                        │
///                                           ▲                              │
///   relaying ── client's FIN ──────────▶ brokerLeft ── broker's end, or time is up: FIN ──▶ over
///            ── broker's end ──────────▶ judging ──── the broker is gone: reset ───────────▶ over
///                                           │ it is there: FIN
///                                           ▼
///                                       clientLeft ── client's end, or time is up: reset ─▶ over
///            ── shutdown in a packet ──▶ completing ── packet whole: DISCONNECT, FIN ──────▶ clientLeft
///            ── reset, lost: TCP reset ─▶ over
/// ```
/// `brokerLeft`: only the broker is left to end; `clientLeft`: only the client is. `judging`: TCP does not tell whether a
/// broker ended this session or its own life, and a client acts differently on them (see ``BrokerPulse``). Packets pass through unchanged; of
/// their contents only the fixed headers are looked at, and CONNECT's protocol level.
package struct StreamRelay: Sendable {
    /// How long the second side may take to end after the first, without taking any of what is under way to it.
    package static let goodbye: Duration = .seconds(3)

    package struct Context: Sendable {
        /// For a whole CONNECT, from the stream's first byte.
        package var connectWithin: Duration
        /// Bytes of a CONNECT: those that wait are within the stream's flow control window.
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
        /// `why` where the connection broke rather than ended.
        case judging(why: String?, clientHasEnded: Bool)
        case completing
        case clientLeft
        case over
    }

    let context: Context
    var state = State.awaitingConnect
    /// What came before the TCP connection: bounded by the stream's flow control window.
    var held: [ByteBuffer] = []
    /// Bytes that wait for the TCP connection.
    package internal(set) var waitingBytes = 0
    var up = PacketScanner()
    var down = PacketScanner()

    package init(context: Context) {
        self.context = context
    }

    /// The first actions of every relay.
    package func started() -> [RelayAction] {
        [.start(.connectPacket, after: context.connectWithin)]
    }

    package var isOver: Bool {
        if case .over = state { true } else { false }
    }

    /// Whether the session has reached the broker: CONNECT was there, and then a TCP connection.
    package var isRelaying: Bool {
        switch state {
        case .relaying, .brokerLeft, .completing: true
        case .awaitingConnect, .connecting, .judging, .clientLeft, .over: false
        }
    }

    /// As CONNECT says. Versions that do not exist are treated as the old ones.
    package var version: MQTTVersion {
        up.protocolLevel.flatMap(MQTTVersion.init(rawValue:)) ?? .v3_1_1
    }
}
