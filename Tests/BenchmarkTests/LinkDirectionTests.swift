import Testing

@testable import BenchmarkLink

/// One direction of the link on a virtual clock.
struct LinkDirectionTests {
    private static let millisecond: Int64 = 1_000_000

    private static func direction(seed: UInt64 = 1, _ settings: [LinkSettings.Key: Double]) throws -> LinkDirection {
        var direction = LinkDirection(seed: seed, number: 0)
        for (key, value) in settings { try direction.settings.set(key, to: value) }
        return direction
    }

    /// A packet of this length that can be told from others.
    private static func packet(_ number: Int, length: Int = 100) -> [UInt8] {
        [UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)] + Array(repeating: 0, count: length - 2)
    }

    private static func number(_ packet: [UInt8]) -> Int { Int(packet[0]) << 8 | Int(packet[1]) }

    /// What leaves, and when, until nothing is on its way.
    private static func drain(_ direction: inout LinkDirection) -> [(number: Int, at: Int64)] {
        var left: [(Int, Int64)] = []
        while let due = direction.nextDue {
            #expect(direction.leave(at: due - 1) == nil)
            guard let packet = direction.leave(at: due) else {
                Issue.record("a packet leaves when it is due")
                break
            }
            left.append((number(packet), due))
        }
        #expect(direction.heldBytes == 0)
        return left
    }

    @Test(arguments: [0.0, 0.5, 25, 1000])
    func everyPacketLeavesAfterTheDelay(_ delay: Double) throws {
        var direction = try Self.direction([.delay: delay])
        for number in 0..<100 { direction.enter(Self.packet(number), at: Int64(number) * 10) }
        let left = Self.drain(&direction)
        #expect(left.map(\.number) == Array(0..<100))
        #expect(left.map(\.at) == (0..<100).map { Int64($0) * 10 + Int64(delay * 1e6) })
    }

    @Test func aShorterDelayDoesNotOvertake() throws {
        var direction = try Self.direction([.delay: 50])
        direction.enter(Self.packet(0), at: 0)
        try direction.settings.set(.delay, to: 1)
        direction.enter(Self.packet(1), at: 10)
        let left = Self.drain(&direction)
        #expect(left.map(\.number) == [0, 1])
        #expect(left.map(\.at) == [50 * Self.millisecond, 50 * Self.millisecond])
    }

    @Test func jitterStaysWithinItsBoundsAndKeepsTheOrder() throws {
        var direction = try Self.direction([.delay: 20, .jitter: 5])
        // So far apart that no packet waits for the one before it.
        for number in 0..<1000 { direction.enter(Self.packet(number), at: Int64(number) * 20 * Self.millisecond) }
        let left = Self.drain(&direction)
        #expect(left.map(\.number) == Array(0..<1000))
        let delays = left.map { $0.at - Int64($0.number) * 20 * Self.millisecond }
        #expect(delays.allSatisfy { (15 * Self.millisecond...25 * Self.millisecond).contains($0) })
        #expect(Set(delays).count > 900)
        let mean = delays.reduce(0, +) / 1000
        #expect(abs(mean - 20 * Self.millisecond) < Self.millisecond / 2)
    }

    @Test func jitterKeepsTheOrderOfPacketsThatFollowClosely() throws {
        var direction = try Self.direction([.delay: 20, .jitter: 20])
        for number in 0..<1000 { direction.enter(Self.packet(number), at: Int64(number)) }
        let left = Self.drain(&direction)
        #expect(left.map(\.number) == Array(0..<1000))
    }

    @Test(arguments: [(1.0, 100), (5, 500), (50, 5000)])
    func theShareOfLostPacketsIsAsAsked(_ percent: Double, _ expected: Int) throws {
        var direction = try Self.direction([.loss: percent])
        for _ in 0..<10_000 { direction.enter(Self.packet(0), at: 0) }
        // Five standard deviations of the binomial distribution.
        let tolerance = 5 * (10_000 * percent / 100 * (1 - percent / 100)).squareRoot()
        #expect(abs(Double(direction.statistics.droppedLoss - expected)) < tolerance)
        #expect(Self.drain(&direction).count == 10_000 - direction.statistics.droppedLoss)
    }

    @Test(arguments: [(0.0, 0), (100, 1000)])
    func noLossAndAllLossAreExact(_ percent: Double, _ lost: Int) throws {
        var direction = try Self.direction([.loss: percent])
        for _ in 0..<1000 { direction.enter(Self.packet(0), at: 0) }
        #expect(direction.statistics.droppedLoss == lost)
    }

    @Test func theSameSeedLosesTheSamePackets() throws {
        func survivors(seed: UInt64, jitter: Double = 0) throws -> [Int] {
            var direction = try Self.direction(seed: seed, [.loss: 10, .jitter: jitter])
            for number in 0..<1000 { direction.enter(Self.packet(number), at: Int64(number)) }
            return Self.drain(&direction).map(\.number)
        }
        let first = try survivors(seed: 7)
        #expect(try survivors(seed: 7) == first)
        #expect(try survivors(seed: 7, jitter: 3) == first)
        #expect(try survivors(seed: 8) != first)
    }

    @Test func resetBeginsTheRandomNumbersAgain() throws {
        var direction = try Self.direction(seed: 3, [.loss: 20])
        func lost() -> [Int] {
            var lost: [Int] = []
            for number in 0..<200 {
                let before = direction.statistics.droppedLoss
                direction.enter(Self.packet(number), at: 0)
                if direction.statistics.droppedLoss > before { lost.append(number) }
            }
            return lost
        }
        let first = lost()
        direction.reset(seed: 3, number: 0)
        #expect(direction.statistics.droppedLoss == 0)
        #expect(lost() == first)
    }

    /// 1 Mbit/s is 125 bytes per millisecond.
    @Test func theBandwidthSpacesPackets() throws {
        var direction = try Self.direction([.rate: 1, .delay: 10])
        for number in 0..<10 { direction.enter(Self.packet(number, length: 125), at: 0) }
        let left = Self.drain(&direction)
        #expect(left.map(\.at) == (1...10).map { (10 + Int64($0)) * Self.millisecond })
    }

    @Test func theQueueTakesWhatItHasRoomFor() throws {
        var direction = try Self.direction([.rate: 1, .queue: 2])
        // 2 KiB have room for 16 packets of 125 bytes.
        for number in 0..<100 { direction.enter(Self.packet(number, length: 125), at: 0) }
        #expect(direction.statistics.droppedQueue == 100 - 16)
        // After eight milliseconds, eight of them are gone.
        for number in 0..<100 { direction.enter(Self.packet(number, length: 125), at: 8 * Self.millisecond) }
        #expect(direction.statistics.droppedQueue == 200 - 24)
        #expect(Self.drain(&direction).count == 24)
    }

    @Test func lostPacketsTakeBandwidthToo() throws {
        var direction = try Self.direction([.rate: 1, .loss: 100])
        direction.enter(Self.packet(0, length: 125), at: 0)
        try direction.settings.set(.loss, to: 0)
        direction.enter(Self.packet(1, length: 125), at: 0)
        #expect(Self.drain(&direction).map(\.at) == [2 * Self.millisecond])
    }

    @Test func whatIsOnItsWayIsBounded() throws {
        var direction = try Self.direction([.delay: 60_000])
        let count = LinkDirection.heldLimit / 65_536
        for number in 0..<count + 10 { direction.enter(Self.packet(number, length: 65_536), at: 0) }
        #expect(direction.heldBytes == LinkDirection.heldLimit)
        #expect(direction.statistics.droppedQueue == 10)
    }
}
