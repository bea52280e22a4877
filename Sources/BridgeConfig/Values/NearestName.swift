/// Finds the known name that is most similar to an unknown one.
package enum NearestName {
    /// The candidate that needs the fewest edits to become `name` (swapping two neighbours counts as one edit), or one that
    /// `name` abbreviates; `nil` if none is similar. Case is ignored, and so is the difference between `-` and `_`.
    package static func of(_ name: String, in candidates: [String]) -> String? {
        let wanted = normalized(name)
        guard !wanted.isEmpty else { return nil }
        let ranked = candidates.compactMap { candidate -> (distance: Int, name: String)? in
            let other = normalized(candidate)
            let distance = editDistance(wanted, other)
            let isAbbreviation = wanted.count >= 3 && (isEnd(wanted, of: other) || isEnd(other, of: wanted))
            let allowed = max(1, max(wanted.count, other.count) / 3)
            return distance <= allowed || isAbbreviation ? (distance, candidate) : nil
        }
        return ranked.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
    }

    /// `did you mean "port"?`, or the whole list if none is similar.
    package static func advice(_ name: String, in candidates: [String]) -> String {
        if let nearest = of(name, in: candidates) { return "did you mean \"\(nearest)\"?" }
        return "known: \(candidates.joined(separator: ", "))"
    }

    /// The same for names that all begin with `prefix`, which is not compared.
    static func of(_ name: String, in candidates: [String], after prefix: String) -> String? {
        let rests = candidates.map { String($0.dropFirst(prefix.count)) }
        return of(String(name.dropFirst(prefix.count)), in: rests).map { prefix + $0 }
    }

    private static func isEnd(_ part: [Unicode.Scalar], of whole: [Unicode.Scalar]) -> Bool {
        whole.starts(with: part) || whole.suffix(part.count).elementsEqual(part)
    }

    private static func normalized(_ name: String) -> [Unicode.Scalar] {
        // The cap bounds the table below; no known name is that long.
        name.unicodeScalars.prefix(64).map {
            $0 == "-" ? "_" : ($0.properties.lowercaseMapping.unicodeScalars.first ?? $0)
        }
    }

    /// Optimal string alignment distance.
    private static func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...b.count)
        for i in 0..<a.count {
            var current = [i + 1]
            for j in 0..<b.count {
                let substitution = previous[j] + (a[i] == b[j] ? 0 : 1)
                var best = min(substitution, previous[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    best = min(best, beforePrevious[j - 1] + 1)
                }
                current.append(best)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[b.count]
    }
}
