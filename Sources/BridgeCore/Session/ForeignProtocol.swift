import NIOCore

/// Guesses what a peer that does not speak MQTT speaks, for a helpful log line.
package enum ForeignProtocol {
    /// Where the bytes came, which decides what would be right.
    package enum Place: Sendable {
        /// A TCP connection of a device.
        case listener
        /// A QUIC stream of a client of `serve`.
        case stream
    }

    /// `start` is the beginning of what came. `nil` if it looks like nothing known.
    package static func guess(_ start: ByteBuffer, at place: Place = .listener) -> String? {
        let bytes = start.readableBytesView.prefix(8)
        if bytes.starts(with: [0x16, 0x03]) {
            return switch place {
            case .listener: "it speaks TLS, but devices connect to the bridge by plain TCP: turn TLS off in the device"
            case .stream: "it speaks TLS inside its QUIC stream, which is encrypted already: send plain MQTT there"
            }
        }
        for method in ["GET ", "POST ", "HEAD ", "PUT ", "OPTIONS "] where bytes.starts(with: method.utf8.prefix(8)) {
            return switch place {
            case .listener: "it speaks HTTP (MQTT over WebSocket?), but the bridge takes plain MQTT over TCP only"
            case .stream: "it speaks HTTP (MQTT over WebSocket?), but serve takes plain MQTT on QUIC streams only"
            }
        }
        if bytes.starts(with: "PROXY ".utf8) || bytes.starts(with: [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51]) {
            return switch place {
            case .listener:
                "it sends a PROXY protocol header, which the bridge does not take: turn it off in the load balancer"
            case .stream: "it sends a PROXY protocol header, which serve does not take: turn it off in the client"
            }
        }
        return nil
    }
}
