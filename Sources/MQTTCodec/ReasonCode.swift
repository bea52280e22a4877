/// A reason code (MQTT 5 2.4). Codes below 0x80 report success, the others failure. The names are the specification's.
///
/// This is a struct, not an enum, because codes that are missing here still have to pass through the gateway.
package struct ReasonCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The code as it is on the wire.
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Whether the code reports failure.
    package var isError: Bool { rawValue >= 0x80 }

    package static let success = Self(rawValue: 0x00)
    package static let normalDisconnection = Self(rawValue: 0x00)
    package static let grantedQoS0 = Self(rawValue: 0x00)
    package static let grantedQoS1 = Self(rawValue: 0x01)
    package static let grantedQoS2 = Self(rawValue: 0x02)
    package static let disconnectWithWill = Self(rawValue: 0x04)
    package static let noMatchingSubscribers = Self(rawValue: 0x10)
    package static let noSubscriptionExisted = Self(rawValue: 0x11)
    package static let continueAuthentication = Self(rawValue: 0x18)
    package static let reauthenticate = Self(rawValue: 0x19)
    package static let unspecifiedError = Self(rawValue: 0x80)
    package static let malformedPacket = Self(rawValue: 0x81)
    package static let protocolError = Self(rawValue: 0x82)
    package static let implementationSpecificError = Self(rawValue: 0x83)
    package static let unsupportedProtocolVersion = Self(rawValue: 0x84)
    package static let clientIdentifierNotValid = Self(rawValue: 0x85)
    package static let badUserNameOrPassword = Self(rawValue: 0x86)
    package static let notAuthorized = Self(rawValue: 0x87)
    package static let serverUnavailable = Self(rawValue: 0x88)
    package static let serverBusy = Self(rawValue: 0x89)
    package static let banned = Self(rawValue: 0x8A)
    package static let serverShuttingDown = Self(rawValue: 0x8B)
    package static let badAuthenticationMethod = Self(rawValue: 0x8C)
    package static let keepAliveTimeout = Self(rawValue: 0x8D)
    package static let sessionTakenOver = Self(rawValue: 0x8E)
    package static let topicFilterInvalid = Self(rawValue: 0x8F)
    package static let topicNameInvalid = Self(rawValue: 0x90)
    package static let packetIdentifierInUse = Self(rawValue: 0x91)
    package static let packetIdentifierNotFound = Self(rawValue: 0x92)
    package static let receiveMaximumExceeded = Self(rawValue: 0x93)
    package static let topicAliasInvalid = Self(rawValue: 0x94)
    package static let packetTooLarge = Self(rawValue: 0x95)
    package static let messageRateTooHigh = Self(rawValue: 0x96)
    package static let quotaExceeded = Self(rawValue: 0x97)
    package static let administrativeAction = Self(rawValue: 0x98)
    package static let payloadFormatInvalid = Self(rawValue: 0x99)
    package static let retainNotSupported = Self(rawValue: 0x9A)
    package static let qosNotSupported = Self(rawValue: 0x9B)
    package static let useAnotherServer = Self(rawValue: 0x9C)
    package static let serverMoved = Self(rawValue: 0x9D)
    package static let sharedSubscriptionsNotSupported = Self(rawValue: 0x9E)
    package static let connectionRateExceeded = Self(rawValue: 0x9F)
    package static let maximumConnectTime = Self(rawValue: 0xA0)
    package static let subscriptionIdentifiersNotSupported = Self(rawValue: 0xA1)
    package static let wildcardSubscriptionsNotSupported = Self(rawValue: 0xA2)

    /// For example `0x8E`, as specifications and broker logs print it.
    package var description: String { hexadecimal(rawValue) }
}

/// A byte as specifications print it, with two upper-case digits: `0x0A`.
func hexadecimal(_ byte: UInt8) -> String {
    (byte < 0x10 ? "0x0" : "0x") + String(byte, radix: 16, uppercase: true)
}
