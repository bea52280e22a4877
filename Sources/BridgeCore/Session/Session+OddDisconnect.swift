import MQTTCodec
import NIOCore

// A DISCONNECT that is not as the specification has it: whether it ends the session is for the broker to say.
extension Frame {
    /// A DISCONNECT that leaves nothing to judge: the session ends with it.
    func isFarewell(of device: Session.DeviceFacts) -> Bool {
        guard isRegular, let disconnect = try? Disconnect.decode(self, version: device.version) else { return false }
        // A device that asked for no session expiry may not ask for one now (MQTT 5 3.14.2.2.2). Where the bridge asked for
        // one in its place, the broker would not know.
        return !device.hasNoExpiry || device.hasBorrowedExpiry || disconnect.properties.sessionExpiryInterval ?? 0 == 0
    }
}

extension Frame {
    /// Whether nothing follows the properties of this DISCONNECT. Properties of 128 bytes or more count as not understood.
    fileprivate var endsWithProperties: Bool {
        let body = body
        guard body.readableBytes > 1 else { return true }
        return body.getInteger(at: body.readerIndex + 1, as: UInt8.self).map { Int($0) + 2 } == body.readableBytes
    }
}

extension Session.DeviceFacts {
    /// The device's DISCONNECT for the broker, as it came, but for the session expiry that the bridge asked for: the broker
    /// is not to keep a session that the device did not want. One with bytes behind its properties stays as it is: it is
    /// not the bridge's to mend.
    func returning(_ frame: Frame) -> ByteBuffer {
        guard hasBorrowedExpiry, frame.endsWithProperties,
            var disconnect = try? Disconnect.decode(frame, version: version, isLenient: true)
        else { return frame.bytes }
        // Where it stands twice, brokers differ in which of them counts, and in whether that is an error.
        disconnect.properties.setSessionExpiry(hasWill && disconnect.reasonCode != 0 ? 1 : 0)
        guard var bytes = try? disconnect.encode(version: version) else { return frame.bytes }
        bytes.setInteger(PacketType.disconnect.rawValue << 4 | frame.flags, at: bytes.readerIndex)
        return bytes
    }
}
