import HTTPTypes
import Hummingbird
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension RouterMethods {
    /// Adds the status page at `/` and its events at `/api/events`. The page itself must be readable without a token;
    /// the events must not.
    ///
    /// - Parameter feed: It must run as long as the router is used.
    package func addPage(feed: EventFeed) {
        get("/") { request, _ in StatusPage.shared.response(to: request) }
        get("/api/events") { _, _ in try await feed.response() }
    }
}

extension EventFeed {
    /// An answer that goes on until the viewer leaves or is let go, or 503 if there are too many viewers.
    func response() async throws -> Response {
        guard let viewer = try await join() else {
            let text = #"{"error":"too many status pages are open: at most \#(Self.viewerLimit) can be"}"#
            return Response(
                status: .serviceUnavailable, headers: [.contentType: "application/json", .retryAfter: "10"],
                body: .init(byteBuffer: ByteBuffer(string: text)))
        }
        var headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        headers[.connection] = "close"
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                do {
                    for await event in viewer.events { try await writer.write(event) }
                    await self.leave(viewer)
                } catch {
                    await self.leave(viewer)
                    throw error
                }
                try await writer.finish(nil)
            })
    }
}
