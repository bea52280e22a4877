extension [UInt8] {
    /// Without the bytes EF BB BF, which some editors put before UTF-8 text. They are no part of it.
    var withoutByteOrderMark: ArraySlice<UInt8> {
        starts(with: [0xEF, 0xBB, 0xBF]) ? dropFirst(3) : self[...]
    }
}
