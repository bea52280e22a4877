import MQTTCodec
import NIOCore

extension Benchmark {
    private static let rounds = 20_000

    /// The MQTT codec: cutting a byte stream into packets, reading packets and writing them.
    package static var codec: [Benchmark] {
        [
            frames("codec.frame", packetsPerRead: 1), frames("codec.frame-of-16", packetsPerRead: 16), scanning,
            decodePublish("codec.decode-publish", .v3_1_1), decodePublish("codec.decode-publish-5", .v5_0),
            encodePublish, decodeAcknowledgement, encodeAcknowledgement, decodeSubscribe,
        ]
    }

    /// One read of a socket with so many PUBLISH packets in it.
    private static func frames(_ name: String, packetsPerRead: Int) -> Benchmark {
        Benchmark(name, perRound: packetsPerRead, rounds: rounds / packetsPerRead) {
            var decoder = FrameDecoder(maximumPacketSize: 1_048_576, maximumBufferedSize: 1_048_576)
            decoder.version = .v3_1_1
            let packet = try Samples.publish(.v3_1_1).encode(version: .v3_1_1)
            var read = ByteBuffer()
            for _ in 0..<packetsPerRead { read.writeImmutableBuffer(packet) }
            return Work {
                decoder.append(read)
                while let element = try decoder.next() { consume(element) }
            }
        }
    }

    private static var scanning: Benchmark {
        Benchmark("codec.scan", rounds: rounds) {
            var scanner = PacketScanner()
            let packet = try Samples.publish(.v3_1_1).encode(version: .v3_1_1)
            return Work { consume(scanner.scan(packet)) }
        }
    }

    private static func decodePublish(_ name: String, _ version: MQTTVersion) -> Benchmark {
        Benchmark(name, rounds: rounds) {
            let frame = try Samples.frame(Samples.publish(version), version)
            return Work { consume(try PublishHead.decode(frame, version: version)) }
        }
    }

    private static var encodePublish: Benchmark {
        Benchmark("codec.encode-publish", rounds: rounds) {
            let head = Samples.head(.v3_1_1)
            return Work { consume(try head.encode(version: .v3_1_1, payloadLength: 200)) }
        }
    }

    private static var decodeAcknowledgement: Benchmark {
        Benchmark("codec.decode-puback", rounds: rounds) {
            let frame = try Samples.frame(Samples.puback, .v3_1_1)
            return Work { consume(try PublishAck.decode(frame, version: .v3_1_1)) }
        }
    }

    private static var encodeAcknowledgement: Benchmark {
        Benchmark("codec.encode-puback", rounds: rounds) {
            Work { consume(try PublishAck(packetID: 7).encode(as: .puback, version: .v3_1_1)) }
        }
    }

    private static var decodeSubscribe: Benchmark {
        Benchmark("codec.decode-subscribe", rounds: rounds) {
            let frame = try Samples.frame(Samples.subscribe, .v3_1_1)
            return Work { consume(try Subscribe.decode(frame, version: .v3_1_1)) }
        }
    }
}
