import NIOCore

/// The beginning of every payload: what the receiving end has to know about the message.
struct Stamp: Equatable {
    /// What the message is, and so who receives it.
    enum Kind: UInt8 {
        /// From a device to the receiver.
        case publish = 1
        /// To one device.
        case command
        /// To all devices.
        case fanOut
    }

    var kind: Kind
    /// When it was due to be published, in nanoseconds of this machine's monotonic clock.
    var due: Int64
    /// Tells the messages of this run from those of others.
    var run: UInt64
    /// The number of the device that the message comes from, or that a command is for.
    var device: UInt32
    /// Numbers the messages of a sender from 0.
    var sequence: UInt32

    /// The length in bytes, padded so that payloads have a common least length.
    static let length = 32

    func write(to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(due, run, device, sequence)
        buffer.writeMultipleIntegers(kind.rawValue, UInt8(0), UInt16(0), UInt32(0))
    }

    /// - Returns: `nil` if the payload is too short, or none of a load run.
    init?(_ payload: ByteBuffer) {
        var payload = payload
        guard
            let (due, run, device, sequence, kind) = payload.readMultipleIntegers(
                as: (Int64, UInt64, UInt32, UInt32, UInt8).self),
            let kind = Kind(rawValue: kind)
        else { return nil }
        self.init(kind: kind, due: due, run: run, device: device, sequence: sequence)
    }

    init(kind: Kind, due: Int64, run: UInt64, device: UInt32, sequence: UInt32) {
        self.kind = kind
        self.due = due
        self.run = run
        self.device = device
        self.sequence = sequence
    }
}
