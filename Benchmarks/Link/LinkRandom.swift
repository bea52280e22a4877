/// A small seeded generator (Steele, Lea, Flood 2014): the same packets meet the same fate in every run.
struct LinkRandom {
    private var state: UInt64

    /// - Parameter purpose: Numbers for different purposes do not depend on each other, although the seed is the same.
    init(seed: UInt64, purpose: UInt64) {
        state = seed &* 0x2545_F491_4F6C_DD1D &+ purpose &* 0xD129_0B2D_85A0_F3B5
    }

    /// The next number, at least 0 and below 1.
    mutating func next() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return Double(mixed >> 11) * 0x1p-53
    }
}
