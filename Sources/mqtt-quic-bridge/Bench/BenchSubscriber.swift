import MQTTQUICClient
import NIOCore

/// A client of `bench` that receives all messages.
struct BenchSubscriber: Sendable {
    let messages: MQTTMessages
    let run: UInt32
    let tally: BenchTally

    /// Counts messages until the connection ends or the task is cancelled.
    func receive() async {
        do {
            for try await message in messages {
                let now = NIODeadline.now()
                guard let stamp = BenchStamp(message.payload, now: now), stamp.run == run else { continue }
                tally.count {
                    $0.received += 1
                    $0.bytesReceived += message.payload.readableBytes
                    $0.endToEnd.record((now - stamp.due).nanoseconds)
                }
            }
        } catch {
            guard error != .cancelled else { return }
            tally.count { $0.note("a subscriber: \(error)") }
        }
    }
}
