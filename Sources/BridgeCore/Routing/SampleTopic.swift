/// Makes an example of the topics that a filter matches.
struct SampleTopic {
    private let word: String

    /// - Parameter texts: Levels that mean something, so that the example has none of them in the place of a wildcard.
    init(avoiding texts: [String] = []) {
        let taken = Set(texts.map { ExactText(text: $0) })
        word = ["x", "y", "z", "any", "other"].first { !taken.contains(ExactText(text: $0)) } ?? "x"
    }

    /// The filter with a word in place of each wildcard. It has to be without a marker.
    func topic(of filter: some StringProtocol) -> String {
        var levels = TopicLevels(Substring(filter))
        var result: [Substring] = []
        while let level = levels.next() {
            result.append(level.isSingleLevelWildcard || level.isMultiLevelWildcard ? word[...] : level)
        }
        return result.joined(separator: "/")
    }
}
