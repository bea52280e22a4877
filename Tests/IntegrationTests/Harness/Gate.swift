/// Limits how many tests run at once: as many as keep two cores busy, because most of them wait for timers most of the
/// time, or a single test that measures.
actor Gate {
    static let shared = Gate(places: 5)

    private let places: Int
    private var free: Int
    private var queue: [(needed: Int, continuation: CheckedContinuation<Void, Never>)] = []

    init(places: Int) {
        self.places = places
        free = places
    }

    func enter(alone: Bool) async {
        let needed = alone ? places : 1
        if queue.isEmpty, free >= needed {
            free -= needed
            return
        }
        await withCheckedContinuation { queue.append((needed, $0)) }
    }

    func leave(alone: Bool) {
        free += alone ? places : 1
        while let next = queue.first, free >= next.needed {
            free -= next.needed
            queue.removeFirst()
            next.continuation.resume()
        }
    }
}
