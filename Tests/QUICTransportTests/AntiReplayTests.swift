import Testing

@testable import QUICTransport

@Suite struct AntiReplayTests {
    private let start = ContinuousClock.now

    private func id(_ number: UInt8) -> QUICAntiReplay.HelloID {
        QUICAntiReplay.HelloID([UInt8](repeating: number, count: 16))
    }

    @Test func whatItHasSeenIsRefusedForAWholeWindow() {
        let antiReplay = QUICAntiReplay(window: .seconds(100))
        for (number, seconds) in [(UInt8(1), 0.0), (2, 60), (3, 99), (4, 101), (5, 150)] {
            #expect(antiReplay.remember(id(number), at: start + .seconds(seconds)))
            for later in [0, 1, 50, 99.9] {
                #expect(!antiReplay.remember(id(number), at: start + .seconds(seconds + later)), "\(number) \(later)")
            }
        }
    }

    @Test func whatIsTooOldToBeFreshIsForgotten() {
        let antiReplay = QUICAntiReplay(window: .seconds(100), capacity: 3)
        #expect(antiReplay.remember(id(1), at: start + .seconds(1)))
        #expect(antiReplay.remember(id(2), at: start + .seconds(2)))
        #expect(antiReplay.remember(id(3), at: start + .seconds(110)))
        // There is no more room: nothing is accepted, and nothing is forgotten to make room.
        #expect(!antiReplay.remember(id(4), at: start + .seconds(111)))
        #expect(!antiReplay.remember(id(1), at: start + .seconds(112)))
        #expect(antiReplay.remember(id(4), at: start + .seconds(215)))
        #expect(antiReplay.remember(id(5), at: start + .seconds(1000)))
        #expect(antiReplay.remember(id(4), at: start + .seconds(1000)))
    }

    @Test func aRecordingIsUsedForAPartOfTheWindow() throws {
        let antiReplay = QUICAntiReplay(window: .seconds(100))
        var last: QUICAntiReplay.Recording?
        for second in stride(from: 0, to: 500, by: 5) {
            let now = start + .seconds(second) + .milliseconds(500)
            let recording = try #require(antiReplay.recording(at: now))
            #expect(now - recording.start < .seconds(75))
            // No ticket younger than a quarter of the window is older than the recording.
            #expect(second < 80 || now - recording.start >= .seconds(20))
            #expect(last.map { $0.start <= recording.start } ?? true)
            last = recording
        }
    }

    @Test func aWindowIsWithinReason() {
        #expect(QUICAntiReplay(window: .zero).window == .seconds(1))
        #expect(QUICAntiReplay(window: .seconds(1 << 40)).window == .seconds(2_592_000))
        #expect(!QUICAntiReplay(capacity: 0).remember(id(1), at: start))
    }
}
