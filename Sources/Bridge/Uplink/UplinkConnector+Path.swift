import BridgeCore

// What a way that is there again means for those who wait.
extension UplinkConnector: PathAwaiter {
    var awaitsPath: Bool {
        isDisturbed && !isShutDown && !(waiters.isEmpty && dials.isEmpty && tlsDials.isEmpty)
    }

    func pathAnswered(_ endpoint: UplinkEndpoint?) {
        upstream.pathAnswered(endpoint: endpoint)
        warm?.serverAnswered()
        for dial in dials.values { dial.connection.hurry() }
        advance()
    }
}
