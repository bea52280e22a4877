import BridgeCore
import NIOCore
import Testing

@Suite struct EarlyFlightTests {
    private let connect = ByteBuffer(string: "CONNECT")
    private let subscribe = ByteBuffer(string: "SUBSCRIBE")
    private let publish = ByteBuffer(string: "PUBLISH")

    @Test func onlyTheFirstBytesAreEarly() {
        var flight = EarlyFlight()
        #expect(flight.write(connect, fin: false) == connect)
        #expect(flight.write(subscribe, fin: false) == nil)
        #expect(flight.write(publish, fin: false) == nil)
        #expect(flight.bufferedBytes == 23)
        #expect(flight.release() == [.init(bytes: subscribe), .init(bytes: publish)])
        #expect(flight.bufferedBytes == 0)
    }

    @Test func theEndIsHeld() {
        var flight = EarlyFlight()
        #expect(flight.write(connect, fin: true) == connect)
        #expect(flight.release() == [.init(bytes: nil, fin: true)])
    }

    @Test func whatWasRejectedGoesAgainInOrder() {
        var flight = EarlyFlight()
        _ = flight.write(connect, fin: false)
        _ = flight.write(publish, fin: false)
        #expect(!flight.needsNewStream)
        flight.rejected()
        #expect(flight.needsNewStream)
        #expect(flight.write(nil, fin: true) == nil)
        #expect(flight.release() == [.init(bytes: connect), .init(bytes: publish), .init(bytes: nil, fin: true)])
    }

    @Test func afterARejectionNothingIsEarly() {
        var flight = EarlyFlight()
        flight.rejected()
        #expect(flight.write(connect, fin: false) == nil)
        #expect(flight.release() == [.init(bytes: connect)])
    }

    @Test func anEndWithoutBytesIsHeld() {
        var flight = EarlyFlight()
        #expect(flight.write(nil, fin: true) == nil)
        #expect(flight.release() == [.init(bytes: nil, fin: true)])
    }
}
