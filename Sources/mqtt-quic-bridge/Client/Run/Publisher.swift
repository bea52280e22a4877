import ArgumentParser
import Logging
import MQTTQUICClient
import NIOCore

/// Does what `pub` is asked to do over a connection.
struct Publisher: Sendable {
    let client: MQTTClient
    let plan: PublishPlan
    let version: MQTTVersion
    let logger: Logger
    let console: ToolConsole

    /// - Returns: The exit code.
    func run() async -> ExitCode {
        do {
            // Input that cannot be read is found before anything reaches the broker.
            guard let payload = try await payload() else {
                try await client.connect()
                return try await publishLines()
            }
            try await client.connect()
            return try await publish(payload)
        } catch let error as MQTTClientError {
            console.report(error)
            return ToolExit.code(for: error, version)
        } catch let error as UsageError {
            console.error("\(error)")
            return ToolExit.usage
        } catch {
            console.error("\(error)")
            return ToolExit.usage
        }
    }

    /// The only message; `nil` if there are lines.
    private func payload() async throws -> ByteBuffer? {
        switch plan.source {
        case .text(let text): return ByteBuffer(string: text)
        case .empty: return ByteBuffer()
        case .lines: return nil
        case .file(let path):
            return try await named("-f: \(path)") {
                try await StandardStreams.readFile(path, limit: PublishPlan.maximumPayload)
            }
        case .standardInput:
            let input = try await named("-s: standard input") {
                try await StandardStreams.readAll(limit: PublishPlan.maximumPayload)
            }
            guard input.readableBytes > 0 else {
                throw UsageError("-s: standard input is empty; -n publishes an empty message")
            }
            return input
        }
    }

    private func named<Value>(_ place: String, _ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let failure as StandardStreams.Failure {
            throw UsageError("\(place): \(failure.description)")
        }
    }

    private func publish(_ payload: ByteBuffer) async throws -> ExitCode {
        for number in 1...plan.count {
            if number > 1, plan.delay > .zero { try await Task.sleep(for: plan.delay) }
            try await acknowledged(plan.message(payload))
        }
        return .success
    }

    /// Waits for the acknowledgement. A message that the broker refuses is a warning, as in mosquitto_pub.
    private func acknowledged(_ message: MQTTMessage) async throws(MQTTClientError) {
        do throws(MQTTClientError) {
            let answer = try await client.publish(message)
            logger.debug(
                "message published",
                metadata: [
                    "topic": "\(message.topic)", "bytes": "\(message.payload.readableBytes)",
                    "qos": "\(message.qos.rawValue)", "reason": "\(answer.reasonCode)",
                ])
        } catch .rejected(let code, let reason) {
            console.warning("the broker refused the message: \(code)\(reason.map { ", \"\($0)\"" } ?? "")")
        } catch {
            throw error
        }
    }
}

// MARK: - Lines

extension Publisher {
    /// Publishes the lines in their order. No more is read while as many messages or bytes as allowed wait for the broker,
    /// so a fast standard input has to wait as well.
    private func publishLines() async throws -> ExitCode {
        var splitter = LineSplitter(maximumLength: PublishPlan.maximumPayload)
        return try await withThrowingTaskGroup(of: Int.self) { group in
            var window = plan.sendWindow
            func send(_ line: ByteBuffer) async throws {
                let message = plan.message(line)
                let size = message.weight
                while !window.hasRoom(for: size), let settled = try await group.next() { window.settled(settled) }
                window.sent(size)
                // An immediate task reaches the client before the next line is looked at, which keeps the order.
                group.addImmediateTask {
                    try await acknowledged(message)
                    return size
                }
            }
            while let bytes = try await named("-l: standard input", { try await StandardStreams.read() }) {
                splitter.append(bytes)
                while let line = try line(&splitter) { try await send(line) }
            }
            if let rest = splitter.rest() { try await send(rest) }
            try await group.waitForAll()
            return .success
        }
    }

    private func line(_ splitter: inout LineSplitter) throws(UsageError) -> ByteBuffer? {
        do {
            return try splitter.next()
        } catch {
            throw UsageError(
                "-l: line \(error.line) is longer than \(PublishPlan.maximumPayload) bytes, the most that a message can have"
            )
        }
    }
}
