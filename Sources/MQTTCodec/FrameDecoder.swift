import NIOCore

/// Cuts a byte stream into packets, incrementally, and checks no more of them than their fixed headers.
///
/// ```
///              ┌──────────── the packet is whole: packet ────────────┐
///              ▼                                                     │
///   ┌──▶ fixedHeader ── length known ──▶ whole ──────────────────────┘
///   │          │
///   │          └── a long PUBLISH ──▶ head ── its end found: publishBegin ──▶ payload ──┐
///   └──────────────────────────────────────── last byte: payload(isLast: true) ─────────┘
///   any ── throws ──▶ failed: throws the same again
/// ```
/// Read leniently, a long PUBLISH whose head makes no sense comes out as `unreadBegin`, and its rest as `payload`.
///
/// Every length is compared with its limit before bytes are kept for it. A packet that lies in one received buffer
/// comes out as a slice of it; one that was split over several has been copied once. Call `next()` until it returns
/// `nil` after every `append(_:)`: what is left then is an unfinished packet in storage of its own, and no received
/// buffer is kept.
package struct FrameDecoder: Sendable {
    package enum Element: Sendable, Equatable {
        case packet(Frame)
        /// A PUBLISH longer than `streamingThreshold`. `payload` follows, until one is the last; an empty payload is
        /// one empty last piece.
        case publishBegin(StreamedPublish)
        /// The same where its head is not read. Never where the reading is strict.
        case unreadBegin(UnreadPublish)
        case payload(ByteBuffer, isLast: Bool)
    }

    private enum State: Sendable {
        /// Looking at so many bytes is the next thing to do.
        case fixedHeader(looksAt: Int)
        case whole(FixedHeader)
        case head(FixedHeader, looksAt: Int)
        case payload(remaining: Int)
        case failed(MQTTError)
    }

    /// The version of the connection. `nil` until CONNECT has come: nothing else is accepted then ([MQTT-3.1.0-1]).
    /// The owner sets it from CONNECT; that no second CONNECT comes ([MQTT-3.1.0-2]) is for the owner to check.
    package var version: MQTTVersion?
    /// How strictly the packets from now on are read.
    package var reading: Reading

    private let maximumPacketSize: Int
    private let streamingThreshold: Int
    private let maximumBufferedSize: Int
    private var state = State.fixedHeader(looksAt: 1)
    private var input = InputQueue()

    /// All limits are in bytes and include the fixed header.
    ///
    /// - Parameters:
    ///   - maximumPacketSize: the longest packet that is accepted.
    ///   - streamingThreshold: a longer PUBLISH is not kept, but handed out as it comes in.
    ///   - maximumBufferedSize: the longest packet other than PUBLISH, and the longest head of a streamed PUBLISH.
    package init(
        maximumPacketSize: Int, streamingThreshold: Int = 65_536, maximumBufferedSize: Int, reading: Reading = .strict
    ) {
        self.reading = reading
        self.maximumPacketSize = maximumPacketSize
        self.streamingThreshold = streamingThreshold
        self.maximumBufferedSize = maximumBufferedSize
    }

    /// Bytes that came in and have not been handed out. Once `next()` has returned `nil`, fewer than the larger of
    /// `streamingThreshold` and `maximumBufferedSize`.
    package var bufferedBytes: Int { input.count }

    /// Bytes of memory that the decoder keeps alive for them: after `nil` less than twice as many, or 256.
    package var retainedCapacity: Int { input.retainedCapacity }

    package mutating func append(_ buffer: ByteBuffer) {
        if case .failed = state { return }
        input.append(buffer)
    }

    /// The next packet, or the next piece of a long one.
    ///
    /// - Returns: `nil`: more bytes needed.
    /// - Throws: the same from the first bad byte on: the stream can't be followed behind it.
    package mutating func next() throws(MQTTError) -> Element? {
        do throws(MQTTError) {
            while true {
                switch state {
                case .fixedHeader(let length):
                    guard input.gather(length) else { return nil }
                    try readFixedHeader()
                case .whole(let header):
                    guard input.gather(header.packetLength) else { return nil }
                    state = .fixedHeader(looksAt: 1)
                    return .packet(Frame(header, bytes: input.take(header.packetLength)))
                case .head(let header, let length):
                    guard input.gather(length) else { return nil }
                    if let element = try readHead(header, gathered: length) { return element }
                case .payload(let remaining):
                    return takePayload(remaining)
                case .failed(let error):
                    throw error
                }
            }
        } catch {
            state = .failed(error)
            input = InputQueue()
            throw error
        }
    }

    private mutating func readFixedHeader() throws(MQTTError) {
        let front = input.front
        guard let header = try FixedHeader.parse(front, version: version, reading: reading) else {
            // Not more than the length itself needs: the rest may never come.
            state = .fixedHeader(looksAt: min(front.readableBytes, 4) + 1)
            return
        }
        try checkLimit(header.packetLength, maximumPacketSize, header.type, "the packet")
        if header.type == .publish, header.packetLength > streamingThreshold {
            state = .head(header, looksAt: header.length)
        } else {
            if header.type != .publish {
                try checkLimit(header.packetLength, maximumBufferedSize, header.type, "the packet")
            }
            state = .whole(header)
        }
    }

    /// - Parameter gathered: bytes of it that are there in one piece.
    /// - Returns: `nil`: its end is not found yet.
    private mutating func readHead(_ header: FixedHeader, gathered: Int) throws(MQTTError) -> Element? {
        guard reading != .framesOnly else { return unread(header, gathered, nil) }
        var gathered = gathered
        do throws(MQTTError) {
            return try readHead(header, &gathered).map { .publishBegin($0) }
        } catch {
            guard reading.passes(.publish) else { throw error }
            return unread(header, gathered, error)
        }
    }

    private mutating func unread(_ header: FixedHeader, _ gathered: Int, _ error: MQTTError?) -> Element {
        let rest = header.packetLength - gathered
        state = .payload(remaining: rest)
        return .unreadBegin(UnreadPublish(start: input.take(gathered), restLength: rest, error: error))
    }

    private mutating func readHead(
        _ header: FixedHeader, _ gathered: inout Int
    ) throws(MQTTError) -> StreamedPublish? {
        // Only CONNECT passes without a version, so there is one.
        guard let version else {
            throw MQTTError(.malformed, .firstPacket, .v5_0, "not CONNECT but PUBLISH comes first")
        }
        let length: Int
        switch try PublishHeadLength.find(input.front, header, version) {
        case .atLeast(let bytes):
            try checkHeadLength(bytes, header, version)
            state = .head(header, looksAt: bytes)
            return nil
        case .known(let bytes):
            try checkHeadLength(bytes, header, version)
            length = bytes
        }
        guard input.gather(length) else {
            state = .head(header, looksAt: length)
            return nil
        }
        gathered = length
        let front = input.front
        var reader = PacketReader(
            front.getSlice(at: front.readerIndex + header.length, length: length - header.length) ?? ByteBuffer(),
            type: .publish, version: version, isLenient: reading.passes(.publish))
        let publish = try PublishHead.decode(flags: header.flags, from: &reader)
        try reader.finish()
        let head = input.take(length)
        let payloadLength = header.packetLength - length
        state = .payload(remaining: payloadLength)
        return StreamedPublish(head: head, flags: header.flags, publish: publish, payloadLength: payloadLength)
    }

    private func checkHeadLength(_ length: Int, _ header: FixedHeader, _ version: MQTTVersion) throws(MQTTError) {
        guard length <= header.packetLength else {
            throw MQTTError(.malformed, .section(of: .publish), version, "PUBLISH: ends before its head does")
        }
        try checkLimit(length, maximumBufferedSize, .publish, "the head")
    }

    private mutating func takePayload(_ remaining: Int) -> Element? {
        let piece = input.takeReceived(atMost: remaining)
        guard piece.readableBytes > 0 || remaining == 0 else { return nil }
        let left = remaining - piece.readableBytes
        state = left == 0 ? .fixedHeader(looksAt: 1) : .payload(remaining: left)
        return .payload(piece, isLast: left == 0)
    }

    private func checkLimit(_ length: Int, _ limit: Int, _ type: PacketType, _ what: String) throws(MQTTError) {
        guard length <= limit else {
            throw MQTTError(
                .packetTooLarge, .maximumPacketSize, version ?? .v5_0,
                "\(type): \(what) is \(length) bytes long, the limit is \(limit)")
        }
    }
}
