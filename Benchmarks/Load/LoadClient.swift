import MQTTCodec

/// What a `Connection` tells the client that it belongs to.
protocol LoadClient: AnyObject {
    func accepted(_ connack: Connack, at now: Int64)
    func subscribed(_ suback: Suback)
    func acknowledged(_ packetID: UInt16, at now: Int64)
    func arrived(_ stamp: Stamp, at now: Int64)
    /// More can be written again.
    func becameWritable()
    /// The broker has broken the protocol; the connection will close.
    func failed(_ reason: String)
    func closed(_ connection: Connection)
}
