import CNGTCP2
import NIOCore

/// Decides about datagrams of a server's socket that belong to no connection (RFC 9000 5.2.2). It is pure and has no
/// sockets. Look up a datagram's `QUICPacketHeader.destinationConnectionID` first: only if no connection has it, the
/// datagram comes here.
///
/// Anyone can send such datagrams from a forged address. So no answer is longer than what it answers, except that a
/// Retry may add a few bytes to the 1200 received, and the number of answers per second is limited.
package struct QUICServerAcceptor {
    /// Whether clients must validate their address first (RFC 9000 8.1.2).
    package enum Retry: Sendable, Equatable {
        case never
        /// A client must show that it receives at its address before a connection is made for it, which costs a round
        /// trip.
        case always
    }

    /// What to do with a datagram.
    package enum Decision {
        /// Make a connection with `QUICConnection.server`, which takes the datagram in, too; or drop the datagram.
        case accept(QUICIncomingConnection)
        /// Send this: version negotiation, a Retry, the refusal of a bad token, or a stateless reset.
        case reply(QUICDatagram)
        case ignore
    }

    /// How long the token of a Retry is valid.
    private static let tokenLifetime: Duration = .seconds(10)
    /// In bytes. A stateless reset looks like a short packet of this length, or is a byte shorter than what it answers.
    private static let resetLength = 43
    /// In bytes. A reset answers no shorter packet, because it would not be shorter itself: two endpoints that have
    /// both lost their state must not answer each other forever (RFC 9000 10.3.3). An idle client's PING, of about 30
    /// bytes, is answered, because nothing else comes from such a client.
    private static let leastLengthForReset = 22

    /// Applies to the next datagrams.
    package var retry: Retry
    /// The certificates for the next connections. Existing connections keep theirs.
    package var tls: QUICTLSContext
    private var configuration: QUICConfiguration
    private let secret: [UInt8]
    /// For answers to packets of any length: resets and version negotiation.
    private var strayReplies: ReplyBudget
    /// For answers to packets that begin a connection, which have at least 1,200 bytes. A flood of short packets must not
    /// use these up.
    private var handshakeReplies: ReplyBudget

    /// - Parameters:
    ///   - secret: 32 bytes from which tokens are made, random if `nil`. With the same secret, a restarted server can
    ///     reset the connections of the previous process.
    ///   - repliesPerSecond: How many datagrams of each kind are answered at most: those that begin a connection, with
    ///     Retry or a refusal, and all others.
    package init(
        configuration: QUICConfiguration, tls: QUICTLSContext, retry: Retry = .never, secret: [UInt8]? = nil,
        repliesPerSecond: Int = 1000
    ) {
        self.configuration = configuration
        self.tls = tls
        self.retry = retry
        let length = Int(BRIDGE_QUIC_SECRET_LENGTH)
        if let secret, secret.count == length {
            self.secret = secret
        } else {
            var random = [UInt8](repeating: 0, count: length)
            bridge_quic_random(&random, length)
            self.secret = random
        }
        strayReplies = ReplyBudget(perSecond: repliesPerSecond)
        handshakeReplies = strayReplies
    }

    /// The settings of the next connections, apart from the layout of their IDs, which belongs to the socket.
    package mutating func adopt(_ new: QUICConfiguration, repliesPerSecond: Int) {
        let layout = configuration.connectionIDs
        configuration = new
        configuration.connectionIDs = layout
        guard strayReplies.perSecond != max(repliesPerSecond, 1) else { return }
        strayReplies = ReplyBudget(perSecond: repliesPerSecond)
        handshakeReplies = strayReplies
    }

    /// What to do with a datagram of a socket, if no connection has its connection ID.
    package mutating func decide(
        _ datagram: ByteBuffer, from remote: SocketAddress, to local: SocketAddress,
        ecn: NIOExplicitCongestionNotificationState = .transportNotCapable, at now: NIODeadline
    ) -> Decision {
        guard remote.isIP, local.isIP else { return .ignore }
        var initial = bridge_quic_initial()
        var answer: ByteBuffer?
        var (isAccepted, isInitial) = (false, false)
        var token: [UInt8] = []
        datagram.withUnsafeReadableBytes { bytes in
            var ids = bridge_quic_long_ids()
            let start = bytes.bindMemory(to: UInt8.self).baseAddress
            switch bridge_quic_accept(start, bytes.count, &initial, &ids) {
            case .initial:
                isInitial = true
                (isAccepted, answer) = admit(&initial, from: remote, at: now)
                token = Array(UnsafeBufferPointer(start: initial.token, count: initial.token_length))
            case .otherVersion:
                answer = written { bridge_quic_write_version_negotiation($0, $1, &ids) }
            case .short:
                answer = statelessReset(for: datagram)
            case .ignore:
                break
            }
        }
        if isAccepted {
            return .accept(
                QUICIncomingConnection(
                    remote: remote, local: local, datagram: datagram, ecn: ecn, configuration: configuration, tls: tls,
                    receivedAt: now, secret: secret, initial: initial, token: token))
        }
        guard let answer, isInitial ? handshakeReplies.take(at: now) : strayReplies.take(at: now) else {
            return .ignore
        }
        return .reply(QUICDatagram(bytes: answer, local: local, remote: remote, ecn: .transportNotCapable))
    }

    /// The refusal of an accepted datagram if the server has no room: CONNECTION_CLOSE with CONNECTION_REFUSED (RFC
    /// 9000 5.2.2), for which nothing is kept. `nil` if the answers are used up, and the datagram has to be dropped.
    package mutating func refusal(of incoming: QUICIncomingConnection) -> QUICDatagram? {
        guard handshakeReplies.take(at: incoming.receivedAt) else { return nil }
        var initial = incoming.initial
        let answer = written { bridge_quic_write_refusal($0, $1, &initial, TransportErrorCode.connectionRefused) }
        return answer.map {
            QUICDatagram(bytes: $0, local: incoming.local, remote: incoming.remote, ecn: .transportNotCapable)
        }
    }

    private func admit(
        _ initial: inout bridge_quic_initial, from remote: SocketAddress, at now: NIODeadline
    ) -> (isAccepted: Bool, answer: ByteBuffer?) {
        let token = remote.withSockAddr { address, length in
            bridge_quic_check_token(
                &initial, secret, address, socklen_t(length), Self.tokenLifetime.nanoseconds, now.nanoseconds)
        }
        switch (token, retry) {
        case (.valid, _), (.absent, .never):
            return (true, nil)
        case (.invalid, _):
            return (
                false, written { bridge_quic_write_refusal($0, $1, &initial, TransportErrorCode.invalidToken) }
            )
        case (.absent, .always):
            let ids = configuration.connectionIDs
            let answer = remote.withSockAddr { address, length in
                written {
                    bridge_quic_write_retry(
                        $0, $1, &initial, ids.length, ids.prefix, ids.prefix.count, secret, address, socklen_t(length),
                        now.nanoseconds)
                }
            }
            return (false, answer)
        }
    }

    private func statelessReset(for datagram: ByteBuffer) -> ByteBuffer? {
        guard datagram.readableBytes >= Self.leastLengthForReset,
            let id = QUICPacketHeader.destinationConnectionID(
                of: datagram, localLength: configuration.connectionIDs.length)?.bytes
        else { return nil }
        let length = min(Self.resetLength, datagram.readableBytes - 1)
        return written { buffer, _ in bridge_quic_write_stateless_reset(buffer, length, secret, id, id.count) }
    }
}

/// Calls `write` with room for a datagram that every path carries. `nil` if it writes nothing.
private func written(_ write: (UnsafeMutablePointer<UInt8>?, Int) -> Int) -> ByteBuffer? {
    let capacity = 1200
    var buffer = ByteBufferAllocator().buffer(capacity: capacity)
    let length = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { space in
        write(space.bindMemory(to: UInt8.self).baseAddress, min(space.count, capacity))
    }
    return length > 0 ? buffer : nil
}
