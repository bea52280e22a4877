import MQTTCodec
import NIOCore

// The DISCONNECT of a device whose session is the broker's.
extension DeviceFacts {
    /// What a DISCONNECT means for the session. A device that asked for no session expiry may not ask for one now
    /// (MQTT 5 3.14.2.2.2), and only the bridge knows that if it asked for one in the device's place.
    func ending(by frame: Frame) -> Ending {
        if hasBorrowedExpiry, let disconnect = try? Disconnect.decode(frame, version: version),
            disconnect.properties.sessionExpiryInterval ?? 0 > 0
        {
            return Ending(.deviceViolation(.expiryAtTheEnd))
        }
        return Ending(.deviceDisconnected, toBroker: frame.bytes)
    }

    /// The device's DISCONNECT for the broker, as it came, except for the session expiry that the bridge asked for: the
    /// broker must not keep a session that the device did not want. A DISCONNECT with bytes behind its properties is
    /// left as it is, because the bridge can't rewrite it.
    func returning(_ frame: Frame) -> ByteBuffer {
        guard hasBorrowedExpiry, frame.endsWithProperties,
            var disconnect = try? Disconnect.decode(frame, version: version, isLenient: true)
        else { return frame.bytes }
        // If the property stands twice, brokers differ in which one counts, and in whether that is an error.
        disconnect.properties.setSessionExpiry(hasWill && disconnect.reasonCode != 0 ? 1 : 0)
        guard var bytes = try? disconnect.encode(version: version) else { return frame.bytes }
        bytes.setInteger(PacketType.disconnect.rawValue << 4 | frame.flags, at: bytes.readerIndex)
        return bytes
    }

    /// The bridge's last packet for a broker that keeps the session for longer than the device asked for: the session ends
    /// now, and the will is published unless `isWithoutWill`.
    ///
    /// - Parameter own: The device's own DISCONNECT.
    func returningBorrowedSession(
        _ own: ByteBuffer?, isWithoutWill: Bool
    ) -> (packet: ByteBuffer?, lingersAtBroker: Bool) {
        // "Disconnect with Will Message" (MQTT 5 3.14.2.1): what the loss of the connection would have meant.
        var disconnect = Disconnect(reasonCode: isWithoutWill ? 0 : 0x04)
        if let own, let frame = try? Frame(packet: own, version: version) {
            // A DISCONNECT that can't be read keeps its reason, because the broker decides what that means.
            let reason = own.getInteger(at: own.readerIndex + frame.headerLength, as: UInt8.self)
            disconnect =
                (try? Disconnect.decode(frame, version: version)) ?? Disconnect(reasonCode: reason ?? 0)
        }
        // With any reason but 0 the will is due [MQTT-3.14.4-3]. EMQX 6.0.3 publishes none if the session ends in the same
        // moment as the connection, so it gets one second more; then the will is due however long it is delayed
        // (MQTT 5 3.1.3.2.2).
        let lingers = hasWill && disconnect.reasonCode != 0
        disconnect.properties.sessionExpiryInterval = lingers ? 1 : 0
        return ((try? disconnect.encode(version: version)) ?? own, lingers)
    }
}

extension Frame {
    /// A DISCONNECT that leaves nothing to judge: the session ends with it. The broker decides whether any other one
    /// ends the session.
    func isFarewell(of facts: DeviceFacts) -> Bool {
        guard isRegular, let disconnect = try? Disconnect.decode(self, version: facts.version) else { return false }
        // If the bridge asked for a session expiry in the device's place, the broker would not notice that the device
        // may not ask for one.
        return !facts.hasNoExpiry || facts.hasBorrowedExpiry || disconnect.properties.sessionExpiryInterval ?? 0 == 0
    }

    /// Whether nothing follows the properties of this DISCONNECT. Properties of 128 bytes or more count as not understood.
    fileprivate var endsWithProperties: Bool {
        let body = body
        guard body.readableBytes > 1 else { return true }
        return body.getInteger(at: body.readerIndex + 1, as: UInt8.self).map { Int($0) + 2 } == body.readableBytes
    }
}
