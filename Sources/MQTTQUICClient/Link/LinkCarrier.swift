import NIOCore

/// The connection of one way, being made or open. It sends CONNECT as soon as it can.
protocol LinkCarrier: AnyObject {
    /// Begins. The outcome goes to the observer.
    ///
    /// - Parameter patience: How long making the connection may take, from the name to the end of the handshake.
    func start(within patience: Duration)
    func write(_ bytes: ByteBuffer, on stream: LinkStream)
    func backlog(of stream: LinkStream) -> Int
    func consumed(_ bytes: Int, on stream: LinkStream)
    func openDataStream() -> LinkStream?
    /// Ends it in order. The observer is told of the end.
    func finish()
    /// Ends it at once, without telling the observer anything more.
    func close()
}

/// Is told what happens to a carrier, on its event loop. Nothing follows a failure or an end.
protocol LinkCarrierObserver: AnyObject {
    /// The broker is verified, and CONNECT has been sent.
    func carrierOpened(_ facts: LinkFacts)
    /// There will be no connection on this way.
    func carrierFailed(_ failure: LinkFailure)
    func carrierReceived(_ bytes: ByteBuffer, on stream: LinkStream)
    func carrierWritable(on stream: LinkStream)
    /// The broker has ended a data stream.
    func carrierEnded(_ stream: LinkStream)
    func carrierMoved(to localAddress: String)
    /// It is over after having been open.
    func carrierEnded(_ end: LinkEnd)
}

/// How long a broker may take to answer FIN ("MQTT Over QUIC", 2).
enum LinkFarewell {
    static let patience = TimeAmount.seconds(10)
}
