import MQTTCodec
import NIOCore
import TestSupport
import Testing

@testable import MQTTQUICClient

/// Subscriptions that share filters come and go over a network that loses connections at any point, and with a broker
/// that forgets its session now and then. In the end the broker has to know what the session's subscriptions need.
struct SubscriptionFuzzTests {
    private struct World {
        var session: ClientSession
        var random: SplitMix64
        /// What the broker knows of each filter, and with which identifier.
        var broker: [String: (options: Subscription, identifier: UInt32?)] = [:]
        var up: [Packet] = []
        var down: [Packet] = []
        var isConnected = false
        var alive: [ClientOperation] = []
        var unsubscribes: [ClientOperation] = []
        var nextNumber: UInt64 = 0
        var failures: [String] = []

        mutating func perform(_ actions: [ClientAction]) throws {
            for action in actions {
                switch action {
                case .send(let bytes, _): up += try packets(bytes)
                case .subscribed(let operation, .failure), .subscriptionEnded(let operation, nil):
                    alive.removeAll { $0 == operation }
                case .subscriptionEnded, .subscriptionRefused, .fail: failures.append("\(action)")
                case .connected, .published, .deliver, .subscribed, .unsubscribed: break
                }
            }
        }

        mutating func next() -> ClientOperation {
            nextNumber += 1
            return operation(nextNumber)
        }

        mutating func filter() -> String { ["a", "b", "c"].randomElement(using: &random) ?? "a" }

        mutating func connect() throws {
            _ = try session.connectPacket(isReconnect: true)
            isConnected = true
            let isKept = random.chance(0.7)
            if !isKept { broker = [:] }
            try perform(session.received(.connack(Connack(sessionPresent: isKept)), on: .control))
        }

        mutating func cut() {
            isConnected = false
            up = []
            down = []
            session.connectionLost()
        }

        mutating func subscribe() throws {
            guard alive.count < 5 else { return }
            let number = next()
            let list = (0..<Int.random(in: 1...2, using: &random)).map { _ in
                MQTTSubscription(
                    filter(),
                    qos: [.atMostOnce, .atLeastOnce, .exactlyOnce].randomElement(using: &random) ?? .atMostOnce,
                    noLocal: random.chance(0.5), retainAsPublished: random.chance(0.5))
            }
            alive.append(number)
            try perform(session.subscribe(number, list, identifier: nil, userProperties: []))
        }

        mutating func leave() throws {
            guard let subscription = alive.randomElement(using: &random) else { return }
            alive.removeAll { $0 == subscription }
            // A task that waits is cancelled, and then the sequence is let go of.
            if random.chance(0.5) { try perform(session.cancelRequest(subscription)) }
            try perform(session.abandon(subscription))
        }

        mutating func unsubscribe() throws {
            let number = next()
            unsubscribes.append(number)
            try perform(session.unsubscribe(number, [filter()], userProperties: []))
        }

        mutating func cancelUnsubscribe() throws {
            guard !unsubscribes.isEmpty else { return }
            try perform(session.cancelRequest(unsubscribes.removeLast()))
        }

        mutating func moveUp() {
            guard isConnected, !up.isEmpty else { return }
            switch up.removeFirst() {
            case .subscribe(let packet):
                for subscription in packet.subscriptions {
                    broker[subscription.filter] = (subscription, packet.properties.subscriptionIdentifiers.first)
                }
                down.append(.suback(Suback(packetID: packet.packetID, codes: packet.subscriptions.map(\.qos.rawValue))))
            case .unsubscribe(let packet):
                for filter in packet.filters { broker[filter] = nil }
                down.append(.unsuback(Unsuback(packetID: packet.packetID, codes: packet.filters.map { _ in 0 })))
            default: break
            }
        }

        mutating func moveDown() throws {
            guard isConnected, !down.isEmpty else { return }
            try perform(session.received(down.removeFirst(), on: .control))
        }

        mutating func step() throws {
            guard isConnected || random.chance(0.5) else { return try connect() }
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<15: try subscribe()
            case 15..<27: try leave()
            case 27..<31: try unsubscribe()
            case 31..<34: try cancelUnsubscribe()
            case 34..<65: moveUp()
            case 65..<96: try moveDown()
            default: if isConnected { cut() }
            }
        }

        mutating func settle() throws {
            if !isConnected { try connect() }
            while !up.isEmpty || !down.isEmpty {
                moveUp()
                try moveDown()
            }
        }

        /// What the broker knows that it should not, or the other way round.
        var differences: [String] {
            let filters = Set(session.subscriptions.entries.values.flatMap { $0.subscriptions.map(\.filter) })
            var found = filters.symmetricDifference(broker.keys).map { "\($0) is known to one of them only" }
            for (filter, known) in broker {
                guard let shared = session.subscriptions.shared(filter) else { continue }
                let wish = shared.subscription.codec
                if known.options.qos != wish.qos || known.options.noLocal != wish.noLocal
                    || known.options.retainAsPublished != wish.retainAsPublished
                {
                    found.append("\(filter): \(known.options) instead of \(wish)")
                }
                if known.identifier != session.subscriptions.entries[shared.owner]?.identifier {
                    found.append("\(filter): the identifier is not that of \(shared.owner)")
                }
            }
            return found
        }
    }

    @Test("Whatever subscriptions share, and whenever they come and go, the broker knows in the end what they need")
    func random() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            var world = World(session: ClientSession(.test), random: SplitMix64(seed: seed))
            for _ in 0..<6 {
                for _ in 0..<60 { try world.step() }
                try world.settle()
                #expect(world.failures == [], "seed \(seed)")
                #expect(world.differences == [], "seed \(seed)")
                #expect(world.session.unsentRequests.isEmpty && world.session.sentRequests.isEmpty)
                #expect(world.session.flows[0].identifiers.count == 0)
                #expect(Set(world.session.subscriptions.entries.keys) == Set(world.alive), "seed \(seed)")
            }
        }
    }
}
