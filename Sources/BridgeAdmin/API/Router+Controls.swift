import BridgeCore
import HTTPTypes
import Hummingbird
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The answer to `POST /api/drain`.
private struct DrainAnswer: Encodable {
    let isDraining = true
    /// In seconds; `nil`: without limit.
    let within: Int?
}

/// `GET` and `PUT /api/log`.
private struct LogAnswer: Encodable {
    let level: String
}

private struct TroubleAnswer: Encodable {
    let troubles: [Trouble]
}

extension Router where Context == AdminContext {
    /// A day.
    private static var longestDrain: Int { 86_400 }

    /// What changes the running program, and what went wrong in it.
    func addControls(_ controls: AdminControls, _ service: any MonitoredService, bodyLimit: Int) {
        post("/api/reload") { request, _ in
            let query = try QueryReader(request, ["dry_run", "all_or_nothing"])
            let (isDryRun, isAllOrNothing) = (try query.flag("dry_run"), try query.flag("all_or_nothing"))
            try await Self.requireNoBody(request, bodyLimit, "POST /api/reload?dry_run=true")
            guard let reload = controls.reload else {
                throw AdminError(.notImplemented, "this command cannot read its configuration again; restart it")
            }
            let report = await reload(isDryRun, isAllOrNothing)
            return try Answer.json(report, Self.status(of: report))
        }
        post("/api/drain") { request, _ in
            let query = try QueryReader(request, ["within"])
            let limit = try query.number("within", 0...Self.longestDrain)
            try await Self.requireNoBody(request, bodyLimit, "POST /api/drain?within=600")
            guard await service.drain(within: limit.map { .seconds($0) }) else {
                throw AdminError(.serviceUnavailable, "the program is starting or ending: there is nothing to drain")
            }
            return try Answer.json(DrainAnswer(within: limit), .accepted)
        }
        get("/api/log") { request, _ in
            _ = try QueryReader(request, [])
            return try Answer.json(LogAnswer(level: controls.logLevel().rawValue))
        }
        put("/api/log") { request, _ in
            _ = try QueryReader(request, [])
            let level = try await Self.level(in: request, bodyLimit)
            controls.setLogLevel(level)
            return try Answer.json(LogAnswer(level: level.rawValue))
        }
        get("/api/troubles") { request, _ in
            _ = try QueryReader(request, [])
            return try Answer.json(TroubleAnswer(troubles: controls.troubles()))
        }
    }

    /// A file that is not usable is the caller's to mend (422); one that is usable but was not to be applied in part
    /// is at odds with the running program (409).
    private static func status(of report: ReloadReport) -> HTTPResponse.Status {
        if report.ok { return .ok }
        return report.errors.isEmpty ? .conflict : .unprocessableContent
    }

    private static func body(of request: Request, _ limit: Int) async throws -> ByteBuffer {
        do {
            return try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw AdminError(.contentTooLarge, "the body may have \(limit) bytes at most", [.connection: "close"])
        } catch {
            throw RequestCutOff(cause: error)
        }
    }

    /// A parameter in the body would go unnoticed, and a trial would be in earnest. A body whose length is said is refused
    /// before it comes.
    private static func requireNoBody(_ request: Request, _ limit: Int, _ example: String) async throws {
        var length = request.headers[.contentLength].map { Int($0) ?? -1 }
        if length == nil { length = try await body(of: request, limit).readableBytes }
        guard length != 0 else { return }
        throw AdminError(.badRequest, "this path takes no body; parameters stand in the query, as in \(example)")
    }

    private static func level(in request: Request, _ limit: Int) async throws -> LogConfiguration.Level {
        let body = try await body(of: request, limit)
        let names = LogConfiguration.Level.allCases.map(\.rawValue).joined(separator: ", ")
        let right = #"the body is {"level": "info"}, and the levels are \#(names)"#
        guard let object = try? JSONDecoder().decode([String: String].self, from: Data(body.readableBytesView)),
            let text = object["level"], object.count == 1, let level = LogConfiguration.Level(rawValue: text)
        else { throw AdminError(.badRequest, right) }
        return level
    }
}
