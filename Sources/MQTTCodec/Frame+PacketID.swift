import NIOCore

extension Frame {
    /// The packet identifier of an acknowledgement, SUBACK or UNSUBACK; `nil` if the packet is too short to have one.
    package var leadingPacketID: UInt16? {
        bytes.getInteger(at: bytes.readerIndex + headerLength)
    }

    /// The packet identifier of a PUBLISH at QoS 1 or 2, which stands behind the topic; `nil` if the packet is too short
    /// to have one.
    package var publishPacketID: UInt16? {
        let start = bytes.readerIndex + headerLength
        guard let length = bytes.getInteger(at: start, as: UInt16.self) else { return nil }
        return bytes.getInteger(at: start + 2 + Int(length))
    }
}
