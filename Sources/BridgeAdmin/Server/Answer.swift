import HTTPTypes
import Hummingbird
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Makes answers of JSON. Names are those of Swift in `snake_case`.
enum Answer {
    private struct Problem: Encodable {
        let error: String
    }

    static func json(_ value: some Encodable, _ status: HTTPResponse.Status = .ok) throws -> Response {
        response(status, ByteBuffer(bytes: try encoder.encode(value)))
    }

    /// An answer with `{"error": "..."}`, which says what would be right.
    static func error(_ status: HTTPResponse.Status, _ message: String, _ headers: HTTPFields = [:]) -> Response {
        var response = response(status, text(of: message))
        response.headers.append(contentsOf: headers)
        return response
    }

    /// The body of such an answer.
    static func text(of message: String) -> ByteBuffer {
        // A text always has a JSON form.
        ByteBuffer(bytes: (try? encoder.encode(Problem(error: message))) ?? Data())
    }

    private static func response(_ status: HTTPResponse.Status, _ body: ByteBuffer) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: body))
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return encoder
    }
}

/// A request that is not answered as wished.
struct AdminError: Error, HTTPResponseError, Equatable {
    let status: HTTPResponse.Status
    /// What is wrong with the request, and what would be right.
    let message: String
    var headers: HTTPFields = [:]

    init(_ status: HTTPResponse.Status, _ message: String, _ headers: HTTPFields = [:]) {
        self.status = status
        self.message = message
        self.headers = headers
    }

    var response: Response { Answer.error(status, message, headers) }

    func response(from request: Request, context: some RequestContext) throws -> Response { response }
}
