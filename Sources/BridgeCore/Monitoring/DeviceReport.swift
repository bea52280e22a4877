/// A device's number. It is used for one connection of one device only, also after a restart of the program; see
/// ``DeviceMeter``. It is below 2^53.
package typealias DeviceID = UInt64

/// What a device is doing.
package enum DeviceState: String, Codable, Sendable, CaseIterable {
    /// Its CONNECT has not come yet, or the broker has not answered it yet.
    case connecting
    /// The broker has let it in, and its uplink leg works.
    case live
    /// It is connected here, and waits for the broker to come back.
    case held
    /// Its session is over or about to be.
    case ending
}

/// One line of the list of devices.
package struct DeviceSummary: Codable, Sendable, Equatable {
    /// The number of the device.
    package var id: DeviceID
    /// What the device is doing.
    package var state: DeviceState
    /// The client id as the device sent it; empty before its CONNECT. For `serve` it is the one in the CONNECT of the
    /// stream. A longer one is cut to ``longestText`` bytes.
    package var clientID: String
    /// Where the device connects from, such as `192.0.2.7:51234`.
    package var address: String
    /// The listener that accepted the device, by its address, such as `0.0.0.0:1883`.
    package var listener: String
    /// When the device connected, in seconds since 1970-01-01T00:00:00Z.
    package var connectedAt: Double
    /// Bytes of MQTT from the device.
    package var bytesUp: UInt64
    /// Bytes of MQTT to the device.
    package var bytesDown: UInt64

    package init(
        id: DeviceID, state: DeviceState, clientID: String, address: String, listener: String, connectedAt: Double,
        bytesUp: UInt64, bytesDown: UInt64
    ) {
        self.id = id
        self.state = state
        self.clientID = clientID
        self.address = address
        self.listener = listener
        self.connectedAt = connectedAt
        self.bytesUp = bytesUp
        self.bytesDown = bytesDown
    }
}

extension DeviceSummary {
    /// The longest text of a device that is shown or searched, in bytes of UTF-8. A client id may have 64 KB, and a page
    /// has a thousand devices.
    package static let longestText = 256

    /// The text, cut if it is too long.
    package static func shown(_ text: String) -> String {
        guard text.utf8.count > longestText else { return text }
        // The last character must not be cut in two.
        var end = text.utf8.index(text.startIndex, offsetBy: longestText - 3)
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return String(text[..<end]) + "…"
    }
}

/// Which devices are wanted.
package struct DeviceQuery: Sendable, Equatable {
    /// Part of the client id, compared without regard to case; `nil`: any.
    package var clientID: String?
    /// What the devices are doing; `nil`: anything.
    package var state: DeviceState?
    /// The beginning of the address, `192.0.2.`; `nil`: any.
    package var address: String?
    /// Only devices with larger numbers: the last one of the previous page.
    package var after: DeviceID
    /// At most so many, 1 to 1000.
    package var limit: Int

    package init(
        clientID: String? = nil, state: DeviceState? = nil, address: String? = nil, after: DeviceID = 0,
        limit: Int = 100
    ) {
        self.clientID = clientID
        self.state = state
        self.address = address
        self.after = after
        self.limit = limit
    }
}

/// Devices in the order of their numbers.
package struct DevicePage: Codable, Sendable, Equatable {
    /// The devices of this page.
    package var devices: [DeviceSummary]
    /// The value of `after` for the next page; `nil` if this is the last one.
    package var next: DeviceID?
    /// How many devices match altogether.
    package var matching: Int

    package init(devices: [DeviceSummary], next: DeviceID?, matching: Int) {
        self.devices = devices
        self.next = next
        self.matching = matching
    }
}

/// Everything that is known about one device. No secrets.
package struct DeviceDetail: Codable, Sendable, Equatable {
    /// The MQTT session as the device asked for it.
    package struct Session: Codable, Sendable, Equatable {
        /// `3.1`, `3.1.1` or `5.0`.
        package var version: String
        /// The user name that the device sent; `nil` if it sent none.
        package var username: String?
        /// The client id that the broker sees, if it is another one.
        package var brokerClientID: String?
        /// Whether the device asked for Clean Session, or Clean Start in 5.0.
        package var isCleanStart: Bool
        /// The keepalive in seconds; 0: none.
        package var keepAlive: Int
        /// Whether the broker has a will to publish for the device.
        package var hasWill: Bool

        package init(
            version: String, username: String?, brokerClientID: String?, isCleanStart: Bool, keepAlive: Int,
            hasWill: Bool
        ) {
            self.version = version
            self.username = username
            self.brokerClientID = brokerClientID
            self.isCleanStart = isCleanStart
            self.keepAlive = keepAlive
            self.hasWill = hasWill
        }
    }

    /// The leg to the broker, and the connection that carries it.
    package struct Leg: Codable, Sendable, Equatable {
        /// `quic`, `tls` or `tcp`.
        package var transport: String
        /// `connection`, `mux` or `data-stream`; `nil` if there is no mapping, as for `serve`.
        package var mapping: String?
        /// The broker's address, such as `192.0.2.1:14567`.
        package var remoteAddress: String?
        /// This machine's address on the connection.
        package var localAddress: String?
        /// The smoothed round-trip time in milliseconds.
        package var roundTrip: Double?
        /// Packets that were declared lost on the connection.
        package var packetsLost: UInt64?
        /// The largest datagram that is sent on the path now, in bytes of UDP payload.
        package var datagramSize: Int?
        /// How many bytes may be under way to the broker at once.
        package var congestionWindow: UInt64?
        /// How often the connection has moved to another path.
        package var pathChanges: Int?
        /// Whether nothing comes from the broker although something is awaited.
        package var isSilent: Bool?

        package init(
            transport: String, mapping: String? = nil, remoteAddress: String? = nil, localAddress: String? = nil,
            roundTrip: Double? = nil, packetsLost: UInt64? = nil, datagramSize: Int? = nil,
            congestionWindow: UInt64? = nil, pathChanges: Int? = nil, isSilent: Bool? = nil
        ) {
            self.transport = transport
            self.mapping = mapping
            self.remoteAddress = remoteAddress
            self.localAddress = localAddress
            self.roundTrip = roundTrip
            self.packetsLost = packetsLost
            self.datagramSize = datagramSize
            self.congestionWindow = congestionWindow
            self.pathChanges = pathChanges
            self.isSilent = isSilent
        }
    }

    /// What the list of devices shows.
    package var summary: DeviceSummary
    /// The MQTT session; `nil` before the CONNECT.
    package var session: Session?
    /// The leg to the broker; `nil` while there is none.
    package var uplink: Leg?
    /// Topic filters that the device is known to have, at most 100, as the device wrote them; `nil` if the program does not
    /// keep them (without hold, and for `serve`).
    package var subscriptions: [String]?
    /// Messages from the device that the broker has not acknowledged yet; `nil` if that is not known.
    package var inFlightUp: Int?
    /// Messages to the device that it has not acknowledged yet; `nil` if that is not known.
    package var inFlightDown: Int?
    /// Bytes that are kept for the device until the broker has them.
    package var bytesHeld: Int
    /// When something last came from the device, in seconds since 1970-01-01T00:00:00Z; `nil`: nothing yet.
    package var lastFromDevice: Double?
    /// When something last came from the broker, in the same unit; `nil`: nothing yet.
    package var lastFromBroker: Double?
    /// What went wrong last, in a sentence; `nil`: nothing.
    package var lastProblem: String?

    package init(
        summary: DeviceSummary, session: Session? = nil, uplink: Leg? = nil, subscriptions: [String]? = nil,
        inFlightUp: Int? = nil, inFlightDown: Int? = nil, bytesHeld: Int = 0, lastFromDevice: Double? = nil,
        lastFromBroker: Double? = nil, lastProblem: String? = nil
    ) {
        self.summary = summary
        self.session = session
        self.uplink = uplink
        self.subscriptions = subscriptions
        self.inFlightUp = inFlightUp
        self.inFlightDown = inFlightDown
        self.bytesHeld = bytesHeld
        self.lastFromDevice = lastFromDevice
        self.lastFromBroker = lastFromBroker
        self.lastProblem = lastProblem
    }
}
