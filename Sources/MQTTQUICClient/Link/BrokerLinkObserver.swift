import NIOCore

/// Is told what happens to a link, on its event loop, and never from within a call to the link.
protocol BrokerLinkObserver: AnyObject {
    /// The handshake is done.
    func linkOpened(_ link: any BrokerLink, _ facts: LinkFacts)

    func link(_ link: any BrokerLink, received bytes: ByteBuffer, on stream: LinkStream)

    /// The backlog of that stream was at ``LinkWaterMarks/high`` or above and has fallen below ``LinkWaterMarks/low``.
    func linkWritable(_ link: any BrokerLink, on stream: LinkStream)

    /// The peer has ended or reset a data stream. The end of the control stream is the end of the link.
    func link(_ link: any BrokerLink, ended stream: LinkStream)

    /// The client's address has changed, and the peer answers there.
    func linkMoved(_ link: any BrokerLink, to localAddress: String)

    /// The link has ended. This is told exactly once, also if no link came about.
    func linkEnded(_ link: any BrokerLink, _ end: LinkEnd)
}

/// How much may wait in a link, in bytes for each stream.
enum LinkWaterMarks {
    static let high = 262_144
    static let low = 65_536
}

/// Makes links. One for each client, confined to its event loop.
protocol BrokerLinkDialer: AnyObject {
    /// Begins at once, and tells the observer nothing before this call has returned.
    ///
    /// - Parameter connect: The CONNECT packet. The dialer sends it, exactly once on the way that works: as early data
    ///   if that is allowed and possible, otherwise when the link is open, just before it says so.
    func dial(connect: ByteBuffer, observer: any BrokerLinkObserver) -> any BrokerLink

    /// Lets go of what outlives a link, such as sockets. Called when there is no link any more; dialing again is
    /// allowed.
    func release()
}
