extension [UInt8] {
    /// The bytes without EF BB BF at their beginning, which some editors put before UTF-8 text.
    var withoutByteOrderMark: ArraySlice<UInt8> {
        starts(with: [0xEF, 0xBB, 0xBF]) ? dropFirst(3) : self[...]
    }
}
