import Hummingbird
import NIOCore

extension Router where Context == AdminContext {
    /// `/metrics`, for Prometheus.
    func addMetrics(_ scraper: Scraper) {
        get("/metrics") { request, _ in
            _ = try QueryReader(request, [])
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: await scraper.text())))
        }
    }
}
