import NIOCore
import QUICSimulation
import QUICTransport
import TestSupport

#if BRIDGE_FUZZING
    /// Sees the frames of each packet before they are encrypted.
    @_silgen_name("bridge_fuzz_rewrite")
    private func setRewriter(_ rewriter: (@convention(c) (UnsafeMutablePointer<UInt8>, Int, Bool) -> Void)?)
#else
    /// In an ordinary build nothing is rewritten, so that both sides are well-behaved.
    private func setRewriter(_ rewriter: (@convention(c) (UnsafeMutablePointer<UInt8>, Int, Bool) -> Void)?) {}
#endif

// A C function has no context. While an input is worked through, only its own thread uses these.
nonisolated(unsafe) private var frames = Choices(seed: 1)
nonisolated(unsafe) private var isServerHostile = false

/// A peer that has completed the handshake and then writes frames that a fuzzer made, rightly encrypted, ends its own
/// connection at most. Debian 12's ngtcp2 has assertions that such frames reach, unless the guards in `CNGTCP2` hide them.
///
/// The first byte chooses the hostile side. Then come, for each packet, the number of bytes and the bytes that replace the
/// beginning of its frames; the rest becomes PADDING.
package enum QUICFramesTarget: FuzzTarget {
    package static let name = "quic-frames"
    package static let summary = "a peer that writes any frames ends its own connection at most"
    package static let maximumLength = 2048
    package static let seeds: [[UInt8]] = [
        [0, 4, 0x18, 2, 0, 8] + [UInt8](repeating: 7, count: 24), [1, 4, 0x1A] + [UInt8](repeating: 7, count: 8),
        [0, 1, 0x01], [1, 30, 0x02, 0, 0, 0, 0], [0, 20, 0x08, 0, 1, 2, 3], [1, 9, 0x19, 0],
        [0, 9, 0x05, 0, 1, 0x04, 0, 0, 0],
        [0, 60, 0x18, 1, 1, 8] + [UInt8](repeating: 7, count: 24) + [0x18, 1, 1, 8] + [UInt8](repeating: 7, count: 24),
        [0, 10, 0x1E, 0x10, 0x7F, 0x11, 0, 0x7F], [1, 5, 0x1C, 0, 0, 0],
        [1, 20, 0x07, 4, 1, 2, 3, 4, 0x06, 0, 4, 1, 2, 3, 4],
    ]

    package static func run(_ input: [UInt8]) throws {
        var choices = Choices(bytes: input)
        let isServer = choices.byte() & 1 == 1
        let simulation = try Simulation(
            clientTLS: QUICScene.tls.get().client, serverTLS: QUICScene.tls.get().server)
        simulation.run(for: .seconds(2)) {
            simulation.client.isHandshakeConfirmed && simulation.server?.isHandshakeConfirmed == true
        }
        guard let server = simulation.server, let id = try simulation.client.openStream() else {
            throw FuzzFailure("no handshake, or no stream")
        }
        simulation.client.write(id, ByteBuffer(string: "x"), fin: false)
        simulation.run(for: .milliseconds(200))
        send(choices, from: isServer ? server : simulation.client, isServer: isServer, on: id, simulation)
        simulation.run(for: .seconds(300))
        try require(simulation.client.isClosed && server.isClosed, "a connection without traffic goes on")
    }

    private static func send(
        _ choices: Choices, from sender: QUICConnection, isServer: Bool, on id: QUICStreamID, _ simulation: Simulation
    ) {
        frames = choices
        isServerHostile = isServer
        setRewriter { bytes, length, isServer in
            guard isServer == isServerHostile, !frames.isExhausted else { return }
            let count = min(Int(frames.byte()), length)
            let replacement = frames.take(count)
            for index in 0..<length { bytes[index] = index < replacement.count ? replacement[index] : 0 }
        }
        defer { setRewriter(nil) }
        for _ in 0..<60 where !frames.isExhausted {
            sender.write(id, ByteBuffer(repeating: 1, count: 100), fin: false)
            simulation.run(for: .milliseconds(50))
        }
    }
}
