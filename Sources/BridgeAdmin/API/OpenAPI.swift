import BridgeCore
import Hummingbird
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The description of the endpoint for programs and for people with tools: OpenAPI 3.1 (spec.openapis.org/oas/v3.1.0).
/// Paths and schemas are files; the rest is here.
enum OpenAPI {
    /// The whole document.
    static let text: String = {
        let document = """
            {"openapi": "3.1.0",
            "info": {"title": "mqtt-quic-bridge", "version": "\(Version.current)",
              "description": "Watches and controls the running program. docs/admin.md says more."},
            "security": [{"token": []}, {}],
            "paths": \(String(decoding: PackageResources.openapi_paths_json, as: UTF8.self)),
            "components": {
              "securitySchemes": {"token": {"type": "http", "scheme": "bearer",
                "description": "The content of admin.token_file, if there is one."}},
              "responses": {"Error": {"description": "What is wrong, and what would be right",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}},
              "schemas": \(String(decoding: PackageResources.openapi_schemas_json, as: UTF8.self))}}

            """
        return document
    }()
}

extension Router where Context == AdminContext {
    func addDescription() {
        get("/api/openapi.json") { request, _ in
            _ = try QueryReader(request, [])
            return Response(
                status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: OpenAPI.text)))
        }
    }
}
