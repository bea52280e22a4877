/// Lines of `uplink` in bridge.yaml that several tests share.
enum Uplink {
    /// Settings that detect lost connections and replace them quickly.
    static let brisk = ["idle_timeout: 4s", "keep_alive: 1s", "backoff_minimum: 50ms", "backoff_maximum: 500ms"]

    static func hold(_ time: String = "300s") -> [String] { ["on_loss: hold", "hold_time: \(time)"] }

    static let close = ["on_loss: close"]

    static func fallback(_ port: Int, host: String = "localhost") -> String {
        "fallback: {host: \(host), port: \(port)}"
    }

    static func endpoints(_ ports: Int..., host: String = "localhost") -> String {
        "endpoints: [\(ports.map { "{host: \(host), port: \($0)}" }.joined(separator: ", "))]"
    }
}
