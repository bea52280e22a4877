import CNGTCP2
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

private func connection(_ owner: UnsafeMutableRawPointer?) -> QUICConnection? {
    // Swift owns the C object: while it calls, the Swift object is alive.
    owner.map { Unmanaged<QUICConnection>.fromOpaque($0).takeUnretainedValue() }
}

private func connectionID(_ bytes: UnsafePointer<UInt8>?, _ length: Int) -> QUICConnectionID? {
    bytes.flatMap { QUICConnectionID(UnsafeBufferPointer(start: $0, count: length)) }
}

extension bq_events {
    /// Each callback appends an event, or a note for the call that is under way, and returns.
    static var ofConnection: bq_events {
        var table = bq_events()
        table.handshake_completed = { connection($0)?.completedHandshake() }
        table.handshake_confirmed = { owner in
            guard let connection = connection(owner) else { return }
            connection.isHandshakeConfirmed = true
            connection.keepAliveIsDue = true
            connection.events.append(.handshakeConfirmed)
        }
        table.stream_data = { owner, stream, data, length, fin in
            var bytes = ByteBuffer()
            if let data, length > 0 {
                bytes = ByteBuffer(bytes: UnsafeBufferPointer(start: data, count: length))
            }
            connection(owner)?.events.append(.streamData(QUICStreamID(rawValue: stream), bytes, fin: fin != 0))
        }
        table.stream_acknowledged = { connection($0)?.acknowledged(QUICStreamID(rawValue: $1), Int($2)) }
        table.stream_opened = { owner, stream in
            guard let connection = connection(owner) else { return }
            let id = QUICStreamID(rawValue: stream)
            if connection.streams[id] == nil { connection.streams[id] = QUICConnection.Stream() }
            connection.events.append(.streamOpened(id))
        }
        table.stream_closed = { connection($0)?.closed(QUICStreamID(rawValue: $1)) }
        table.stream_reset = { connection($0)?.events.append(.streamReset(QUICStreamID(rawValue: $1), code: $2)) }
        table.stop_sending = { owner, stream, code in
            guard let connection = connection(owner) else { return }
            let id = QUICStreamID(rawValue: stream)
            connection.stopSending(id)
            connection.events.append(.stopSending(id, code: code))
        }
        table.stream_credit = { connection($0)?.unblocked(QUICStreamID(rawValue: $1)) }
        table.streams_available = { connection($0)?.events.append(.streamsAvailable) }
        table.connection_id_issued = { owner, bytes, length in
            guard let id = connectionID(bytes, length) else { return }
            connection(owner)?.events.append(.connectionIDIssued(id))
        }
        table.connection_id_retired = { owner, bytes, length in
            guard let id = connectionID(bytes, length) else { return }
            connection(owner)?.events.append(.connectionIDRetired(id))
        }
        table.path_validated = { owner, local, remote, success in
            guard let connection = connection(owner), let local = local.flatMap(SocketAddress.init(raw:)),
                let remote = remote.flatMap(SocketAddress.init(raw:))
            else { return }
            if success != 0 { connection.remoteAddress = remote }
            connection.events.append(
                success != 0
                    ? .pathChanged(local: local, remote: remote) : .pathFailed(local: local, remote: remote))
        }
        table.versions_offered = { owner, versions, count in
            guard let versions else { return }
            connection(owner)?.offeredVersions = Array(UnsafeBufferPointer(start: versions, count: count))
        }
        table.stateless_reset = { connection($0)?.wasReset = true }
        table.qlog = { owner, data, length in
            guard let data else { return }
            connection(owner)?.qlog?.write(UnsafeRawBufferPointer(start: data, count: length))
        }
        return table
    }
}

extension QUICConnection {
    fileprivate func completedHandshake() {
        isHandshakeCompleted = true
        events.append(.handshakeCompleted(alpn: negotiatedALPN ?? ""))
    }

    fileprivate func acknowledged(_ id: QUICStreamID, _ count: Int) {
        guard count > 0, streams[id] != nil else { return }
        streams[id]?.queue.acknowledged(count)
        events.append(.streamDrained(id, bytes: count))
    }

    fileprivate func closed(_ id: QUICStreamID) {
        streams[id] = nil
        blocked.remove(id)
        if id.isClientInitiated == isServer { streamsToAllow += 1 }
        events.append(.streamClosed(id))
    }

    fileprivate func stopSending(_ id: QUICStreamID) {
        // ngtcp2 answers with RESET_STREAM itself (RFC 9000 3.5), and may hold the bytes until the stream is closed.
        streams[id]?.isSendingOver = true
    }

    fileprivate func unblocked(_ id: QUICStreamID) {
        guard streams[id]?.isBlocked == true else { return }
        streams[id]?.isBlocked = false
        enqueue(id)
    }
}

extension SocketAddress {
    /// A copy of what C points to; nil for families other than IPv4 and IPv6.
    init?(raw: UnsafePointer<sockaddr>) {
        switch CInt(raw.pointee.sa_family) {
        case AF_INET:
            self = raw.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { SocketAddress($0.pointee) }
        case AF_INET6:
            self = raw.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee) }
        default:
            return nil
        }
    }
}
