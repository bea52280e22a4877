import NIOCore
import QUICTransport

extension Benchmark {
    /// A QUIC client and server that exchange small messages on a virtual clock.
    ///
    /// - Parameter credentials: The certificate that the server shows and the client trusts.
    package static func quic(_ credentials: Credentials) -> [Benchmark] {
        [
            Benchmark("quic.one-stream", rounds: 1_000) {
                try work(credentials, streams: 1, answerSize: nil)
            },
            Benchmark("quic.hundred-streams", perRound: 100, rounds: 50) {
                try work(credentials, streams: 100, answerSize: nil)
            },
            Benchmark("quic.request", rounds: 1_000) {
                try work(credentials, streams: 1, answerSize: 4)
            },
            Benchmark("quic.hundred-requests", perRound: 100, rounds: 50) {
                try work(credentials, streams: 100, answerSize: 4)
            },
        ]
    }

    /// One message of 234 bytes on each stream, as long as PUBLISH with 200 bytes of payload, and if `answerSize` is
    /// given, an answer of that many bytes, as PUBACK has 4. A round is a tenth of a second, so that delayed
    /// acknowledgements and the timers behind them belong to the messages that caused them.
    private static func work(_ credentials: Credentials, streams: Int, answerSize: Int?) throws -> Work {
        let pair = try QUICPair(credentials, streams: streams)
        let message = ByteBuffer(repeating: 0x70, count: 234)
        pair.answer = answerSize.map { ByteBuffer(repeating: 0x40, count: $0) }
        let streams = try pair.openStreams(streams)
        return Work(
            figures: { pair.figures },
            round: {
                let expected = pair.bytesAtServer + streams.count * message.readableBytes
                for stream in streams { pair.send(message, on: stream) }
                pair.run(for: .milliseconds(100))
                try check(pair.bytesAtServer == expected, "a message did not reach the server")
            })
    }
}
