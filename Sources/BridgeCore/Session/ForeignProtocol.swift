import NIOCore

/// Guesses what a peer that does not speak MQTT speaks, for a helpful log line.
package enum ForeignProtocol {
    /// `start` is the beginning of what came. `nil` if it looks like nothing known.
    package static func guess(_ start: ByteBuffer) -> String? {
        let bytes = start.readableBytesView.prefix(8)
        if bytes.starts(with: [0x16, 0x03]) {
            return "it speaks TLS, but devices connect to the bridge by plain TCP: turn TLS off in the device"
        }
        for method in ["GET ", "POST ", "HEAD ", "PUT ", "OPTIONS "] where bytes.starts(with: method.utf8.prefix(8)) {
            return "it speaks HTTP (MQTT over WebSocket?), but the bridge takes plain MQTT over TCP only"
        }
        if bytes.starts(with: "PROXY ".utf8) || bytes.starts(with: [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51]) {
            return "it sends a PROXY protocol header, which the bridge does not take: turn it off in the load balancer"
        }
        return nil
    }
}
