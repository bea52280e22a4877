import NIOCore

/// The beginning of a payload: which run of `bench` sent it, when it was due by this machine's monotonic clock, and the
/// number of its device.
///
///     "MQB1" | run (4, big-endian) | nanoseconds (8, big-endian) | device (4, big-endian)
struct BenchStamp: Sendable, Equatable {
    static let length = 20
    private static let mark = Array("MQB1".utf8)

    /// A random number, so that two programs that use the same topics do not count each other's messages.
    var run: UInt32
    var due: NIODeadline
    var device: Int

    func payload(size: Int) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(max(size, Self.length))
        bytes.writeBytes(Self.mark)
        bytes.writeInteger(run)
        bytes.writeInteger(due.uptimeNanoseconds)
        bytes.writeInteger(UInt32(clamping: device))
        bytes.writeRepeatingByte(0x2E, count: max(size - Self.length, 0))
        return bytes
    }

    init(run: UInt32, due: NIODeadline, device: Int) {
        self.run = run
        self.due = due
        self.device = device
    }

    /// `nil` if the payload is another program's, or its time is in the future.
    init?(_ payload: ByteBuffer, now: NIODeadline) {
        var bytes = payload
        guard bytes.readBytes(length: Self.mark.count) == Self.mark, let run = bytes.readInteger(as: UInt32.self),
            let time = bytes.readInteger(as: UInt64.self), let device = bytes.readInteger(as: UInt32.self),
            time <= now.uptimeNanoseconds
        else { return nil }
        self.init(run: run, due: .uptimeNanoseconds(time), device: Int(device))
    }
}
