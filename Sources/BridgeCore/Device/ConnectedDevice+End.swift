import MQTTCodec
import NIOCore

// How a connected device ends.
extension ConnectedDevice {
    /// The DISCONNECT that tells a 5.0 device why; `nil` if its connection is just closed, or if the packet would land
    /// inside another one.
    func farewell(_ ending: Ending) -> ByteBuffer? {
        guard facts.version == .v5_0, !down.isInsidePacket,
            let code = ending.reasonCode ?? ending.why.disconnectCode(throughGateway: gateway != nil)
        else { return nil }
        var disconnect = Disconnect(reasonCode: code.rawValue)
        disconnect.properties.reasonString = "\(ending.why)"
        return try? disconnect.encoded(.v5_0, within: facts.maximumPacketSize)
    }

    /// What the leg is still given before its end, in case the broker answers, and whether the leg is inside a packet
    /// then.
    func lastOnLeg() -> (backlog: [ByteBuffer], isInsidePacket: Bool) {
        guard var journal = hold?.journal else { return ([], up.isInsidePacket) }
        return hold?.phase == .suspended ? journal.drain() : ([], journal.isInsidePacket)
    }
}

extension DeviceFacts {
    /// The CONNACK that refuses the device, with the reason as text for 5.0; `nil` if the device does not accept one of
    /// that size, or if its connection is just closed.
    func refusal(_ ending: Ending, throughGateway: Bool) -> ByteBuffer? {
        guard let code = ending.reasonCode ?? ending.why.connackCode(throughGateway: throughGateway) else { return nil }
        return refusal(code.connackCode(version), ending.why)
    }

    /// The same with the code as the packet carries it.
    func refusal(_ code: UInt8, _ why: SessionEnd) -> ByteBuffer? {
        var connack = Connack(sessionPresent: false, code: code)
        if version == .v5_0 { connack.properties.reasonString = "\(why)" }
        return try? connack.encoded(version, within: maximumPacketSize)
    }
}

extension Frame {
    /// The reason code of a PUBACK, PUBREC, PUBREL or PUBCOMP; 0 if it has none.
    var acknowledgementCode: UInt8 {
        bytes.readableBytes > headerLength + 2 ? bytes.getInteger(at: bytes.readerIndex + headerLength + 2) ?? 0 : 0
    }
}
