/// All targets, in the order in which a list shows them.
package let allFuzzTargets: [any FuzzTarget.Type] = [
    FrameDecoderTarget.self, PacketRoundTripTarget.self, PacketScannerTarget.self, RoutesTarget.self,
    PasswordFileTarget.self, ProxyHeaderTarget.self, ConfigurationTarget.self, TicketFileTarget.self,
    BundleZipTarget.self, BundleTarget.self, SessionTarget.self, ClientSessionTarget.self, QUICAcceptorTarget.self,
    QUICPairTarget.self, QUICFramesTarget.self,
]
