/// Where a simulation takes its choices from: a seed, which gives the same ones on every run, or bytes that a fuzzer
/// made, one per small choice.
package struct Choices: RandomNumberGenerator {
    private var seeded: SplitMix64
    private var bytes: ArraySlice<UInt8>?

    package init(seed: UInt64) {
        seeded = SplitMix64(seed: seed)
    }

    /// After the last byte, choices are pseudo-random and still the same on every run.
    package init(bytes: some Sequence<UInt8>) {
        seeded = SplitMix64(seed: 1)
        self.bytes = ArraySlice(bytes)
    }

    /// Whether bytes were given, and all of them have been used.
    package var isExhausted: Bool { bytes?.isEmpty ?? false }

    /// How many bytes are left; 0 with a seed.
    package var bytesLeft: Int { bytes?.count ?? 0 }

    /// The next number, from the whole range. A byte is the top of it, because a choice among a few is made there.
    package mutating func next() -> UInt64 {
        guard let byte = bytes?.popFirst() else { return seeded.next() }
        // With zeros below, the library would often throw the number away and ask for another one.
        return UInt64(byte) << 56 | 0x0080_0000_0000_0000
    }

    /// True with the given probability, from 0 to 1.
    package mutating func chance(_ probability: Double) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &self) < probability
    }

    /// The next byte; 0 if there is none left.
    package mutating func byte() -> UInt8 { bytes?.popFirst() ?? 0 }

    /// The next bytes, fewer if fewer are left.
    package mutating func take(_ count: Int) -> [UInt8] {
        let taken = Array(bytes?.prefix(count) ?? [])
        bytes?.removeFirst(taken.count)
        return taken
    }

    /// All bytes that are left.
    package mutating func rest() -> [UInt8] { take(bytesLeft) }
}
