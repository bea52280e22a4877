/// The transport error codes of RFC 9000 20.1, by name.
enum TransportErrorCode {
    static let internalError: UInt64 = 0x1
    static let connectionRefused: UInt64 = 0x2
    static let invalidToken: UInt64 = 0xb
    /// 0x100 + the TLS alert (RFC 9001 4.8).
    static let cryptoErrors: ClosedRange<UInt64> = 0x100...0x1ff

    private static let names = [
        "NO_ERROR", "INTERNAL_ERROR", "CONNECTION_REFUSED", "FLOW_CONTROL_ERROR", "STREAM_LIMIT_ERROR",
        "STREAM_STATE_ERROR", "FINAL_SIZE_ERROR", "FRAME_ENCODING_ERROR", "TRANSPORT_PARAMETER_ERROR",
        "CONNECTION_ID_LIMIT_ERROR", "PROTOCOL_VIOLATION", "INVALID_TOKEN", "APPLICATION_ERROR",
        "CRYPTO_BUFFER_EXCEEDED", "KEY_UPDATE_ERROR", "AEAD_LIMIT_REACHED", "NO_VIABLE_PATH",
    ]

    static func name(_ code: UInt64) -> String {
        let number = "0x" + String(code, radix: 16)
        guard code < UInt64(names.count) else { return number }
        return "\(names[Int(code)]) (\(number))"
    }
}
