import BridgeCore
import Testing

@Suite struct ServeCodeTests {
    /// A connection that is closed with 0 counts as a lost network at its other end.
    @Test(
        arguments: [
            (nil, 1), (0, 1), (ServeCode.goingAway, 2), (ServeCode.goElsewhere, 0x38B), (0x398, 0x398),
        ] as [(UInt64?, UInt64)])
    func aConnectionSaysWhatTheEndOfItsStreamSaid(_ reset: UInt64?, _ code: UInt64) {
        #expect(ServeCode.ofConnection(afterReset: reset) == code)
    }
}
