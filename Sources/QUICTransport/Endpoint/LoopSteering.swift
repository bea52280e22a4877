import NIOCore

/// A program of the kernel's packet filter that gives each datagram to the socket of the event loop that has its
/// connection, where the sockets of several loops share an address.
///
/// Without it the kernel chooses the socket by the sender's address and port. A gateway sends all of its connections'
/// datagrams from very few ports, so one loop might get all of them while the others have nothing to do.
///
/// The program takes one byte of the destination connection ID. In an ID that this program issued it is the loop's
/// index. In a client's first datagram it is random, so new connections are spread evenly, and whoever sends that
/// datagram again reaches the same loop. `QUICDatagramExchange` is still needed: the kernel may have no such filter.
struct LoopSteering {
    /// The kernel's `struct sock_filter`.
    struct Instruction {
        var code: UInt16
        var ifTrue: UInt8 = 0
        var ifFalse: UInt8 = 0
        var operand: UInt32
    }

    /// The kernel's `struct sock_fprog`, which it copies.
    private struct Program: @unchecked Sendable {
        var count: UInt16
        var instructions: UnsafePointer<Instruction>
    }

    // Options of SOL_SOCKET: SO_ATTACH_REUSEPORT_CBPF and SO_DETACH_REUSEPORT_BPF.
    private static let attach = NIOBSDSocket.Option(rawValue: 51)
    private static let detach = NIOBSDSocket.Option(rawValue: 68)

    /// The number of loops.
    let loops: Int
    /// Where a connection ID has that byte, counted from 0. Of an ID that is shorter, which a client has invented, it is
    /// the first one.
    var offset = 0

    /// What the kernel runs for each datagram, on its UDP payload. The result is the index of a socket, in the order in
    /// which the sockets were bound; if there is none with that index yet, the kernel chooses by address and port.
    var instructions: [Instruction] {
        let (loadByte, jump, jumpIfBits, modulo, returnValue): (UInt16, UInt16, UInt16, UInt16, UInt16) =
            (0x30, 0x05, 0x45, 0x94, 0x16)
        let jumpIfGreater: UInt16 = 0x25
        return [
            Instruction(code: loadByte, operand: 0),
            // A long header has its connection ID behind the version and the ID's length (RFC 8999 5.1), a short one
            // behind the first byte (RFC 8999 5.2).
            Instruction(code: jumpIfBits, ifFalse: 6, operand: 0x80),
            Instruction(code: loadByte, operand: 5),
            Instruction(code: jumpIfGreater, ifFalse: 2, operand: UInt32(offset)),
            Instruction(code: loadByte, operand: UInt32(6 + offset)),
            Instruction(code: jump, operand: 3),
            Instruction(code: loadByte, operand: 6),
            Instruction(code: jump, operand: 1),
            Instruction(code: loadByte, operand: UInt32(1 + offset)),
            Instruction(code: modulo, operand: UInt32(loops)),
            Instruction(code: returnValue, operand: 0),
        ]
    }

    /// Steers from now on what arrives at any of the sockets that share this one's address. The sockets have to be bound
    /// in the order of their loops.
    func begin(at channel: any Channel) -> EventLoopFuture<Void> {
        let instructions = instructions
        let memory = UnsafeMutableBufferPointer<Instruction>.allocate(capacity: instructions.count)
        defer { memory.deallocate() }
        _ = memory.initialize(fromContentsOf: instructions)
        guard let provider = channel as? any SocketOptionProvider, let first = memory.baseAddress else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        // On the channel's loop this is done when the call returns.
        channel.eventLoop.preconditionInEventLoop()
        let program = Program(count: UInt16(instructions.count), instructions: first)
        return provider.unsafeSetSocketOption(level: .socket, name: Self.attach, value: program)
    }

    /// Ends the steering for all of the sockets: one of them was opened again, so their order is another now.
    static func end(at channel: any Channel) -> EventLoopFuture<Void> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        return provider.unsafeSetSocketOption(level: .socket, name: Self.detach, value: CInt(0))
    }
}
