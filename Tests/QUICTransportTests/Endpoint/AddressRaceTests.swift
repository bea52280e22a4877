import NIOCore
import QUICTransport
import Testing

@Suite struct AddressRaceTests {
    private func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }

    /// "4a" is 192.0.2.10, and "6b" is 2001:db8::b.
    private func address(_ name: Substring) throws -> SocketAddress {
        let digit = try #require(Int(name.dropFirst(), radix: 16))
        let text = name.hasPrefix("4") ? "192.0.2.\(digit)" : "2001:db8::\(name.dropFirst())"
        return try SocketAddress(ipAddress: text, port: 14567)
    }

    private func addresses(_ names: String) throws -> [SocketAddress] {
        try names.split(separator: " ").map { try address($0) }
    }

    /// The order in which a race tries the addresses if each fails at once.
    private func order(of race: AddressRace) -> [SocketAddress] {
        var race = race
        var order: [SocketAddress] = []
        while case .start(let address) = race.next(at: at(0)) {
            order.append(address)
            race.failed("no", isSilence: true, at: at(0))
        }
        return order
    }

    @Test(arguments: [
        ("6a 6b 4a 4b", nil, "6a 4a 6b 4b"),
        ("4a 4b 6a", nil, "4a 6a 4b"),
        ("4a 6a 6b", NIOBSDSocket.ProtocolFamily.inet6, "6a 4a 6b"),
        ("6a 6b 4a", NIOBSDSocket.ProtocolFamily.inet, "4a 6a 6b"),
        // The name no longer has an address of the family that worked last.
        ("6a 6b", NIOBSDSocket.ProtocolFamily.inet, "6a 6b"),
        ("4a", nil, "4a"),
        ("", nil, ""),
        ("41 42 43 44 45 46 47 48 49 61", nil, "41 61 42 43 44 45 46 47"),
    ])
    func familiesTakeTurns(given: String, first: NIOBSDSocket.ProtocolFamily?, tried: String) throws {
        let race = AddressRace(try addresses(given), preferring: first, at: at(0), until: at(5_000))
        #expect(order(of: race) == (try addresses(tried)))
    }

    @Test func theNextFollowsAfterAQuarterOfASecond() throws {
        var race = AddressRace(try addresses("6a 4a 6b"), at: at(1_000), until: at(5_000))
        #expect(race.next(at: at(1_000)) == .start(try address("6a")))
        #expect(race.next(at: at(1_000)) == .wait(until: at(1_250)))
        #expect(race.next(at: at(1_249)) == .wait(until: at(1_250)))
        #expect(race.next(at: at(1_250)) == .start(try address("4a")))
        #expect(race.next(at: at(1_250)) == .wait(until: at(1_500)))
        #expect(race.next(at: at(1_600)) == .start(try address("6b")))
        #expect(race.next(at: at(1_600)) == .wait(until: nil))
    }

    @Test func aFailureLetsTheNextGoAtOnce() throws {
        var race = AddressRace(try addresses("6a 4a 6b"), at: at(0), until: at(5_000))
        #expect(race.next(at: at(0)) == .start(try address("6a")))
        race.failed("no route", isSilence: true, at: at(3))
        #expect(race.next(at: at(3)) == .start(try address("4a")))
        #expect(race.next(at: at(3)) == .wait(until: at(253)))
        race.failed("refused", isSilence: false, at: at(50))
        #expect(race.next(at: at(50)) == .start(try address("6b")))
        #expect(race.next(at: at(50)) == .wait(until: nil))
    }

    @Test func othersWaitLongerForEarlyData() throws {
        var race = AddressRace(try addresses("6a 4a 6b"), at: at(0), until: at(5_000))
        #expect(race.next(at: at(0)) == .start(try address("6a")))
        race.sentEarlyData(at: at(0))
        #expect(race.next(at: at(999)) == .wait(until: at(1_000)))
        #expect(race.next(at: at(1_000)) == .start(try address("4a")))
        // The other addresses carry none.
        #expect(race.next(at: at(1_000)) == .wait(until: at(1_250)))
    }

    @Test func earlyDataThatFailedHoldsNobodyUp() throws {
        var race = AddressRace(try addresses("6a 4a"), at: at(0), until: at(5_000))
        #expect(race.next(at: at(0)) == .start(try address("6a")))
        race.sentEarlyData(at: at(0))
        race.failed("no", isSilence: true, at: at(20))
        #expect(race.next(at: at(20)) == .start(try address("4a")))
    }

    @Test func theMostTellingFailureIsTold() throws {
        func outcome(_ failures: [(String, Bool)]) throws -> AddressRace.Step {
            var race = AddressRace(try addresses("6a 4a 6b"), at: at(0), until: at(5_000))
            for (why, isSilence) in failures {
                _ = race.next(at: at(0))
                race.failed(why, isSilence: isSilence, at: at(0))
            }
            return race.next(at: at(0))
        }
        #expect(try outcome([("a", true), ("b", true), ("c", true)]) == .failed("a"))
        #expect(try outcome([("a", true), ("b", false), ("c", true)]) == .failed("b"))
        #expect(try outcome([("a", false), ("b", true), ("c", true)]) == .failed("a"))
    }

    @Test func aRaceWithoutAddressesFails() {
        var race = AddressRace([], at: at(0), until: at(5_000))
        #expect(race.next(at: at(0)) == .failed("no address is left to try"))
    }

    @Test func whenTimeHasRunOutNoAddressIsBegunWith() throws {
        var race = AddressRace(try addresses("6a 4a"), at: at(0), until: at(200))
        #expect(race.next(at: at(0)) == .start(try address("6a")))
        #expect(race.next(at: at(200)) == .wait(until: nil))
        race.failed("no answer", isSilence: true, at: at(200))
        #expect(race.next(at: at(200)) == .failed("no answer"))
    }
}
