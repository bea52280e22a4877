import HTTPTypes
import Hummingbird
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The status page: one HTML text with its style and script in it, so that the browser loads nothing else.
///
/// There is no data in it, so it needs no token. The script asks for the data.
struct StatusPage: Sendable {
    private static let styles = [PackageResources.base_css, PackageResources.parts_css]
    /// In this order, because later files use what the earlier ones define.
    private static let scripts = [
        PackageResources.words_js, PackageResources.dom_js, PackageResources.connection_js, PackageResources.chart_js,
        PackageResources.overview_js, PackageResources.lists_js, PackageResources.devices_js,
        PackageResources.details_js, PackageResources.page_js,
    ]

    static let shared = StatusPage()

    let html: String
    /// All answers share its memory.
    private let body: ByteBuffer
    let contentSecurityPolicy: String
    let entityTag: String

    private init() {
        let style = Self.styles.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
        let code = Self.scripts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
        let script = "\"use strict\";\n(() => {\n\(code)})();\n"
        html = String(decoding: PackageResources.index_html, as: UTF8.self)
            .replacing("/*STYLE*/", with: style, maxReplacements: 1)
            .replacing("/*SCRIPT*/", with: script, maxReplacements: 1)
        body = ByteBuffer(string: html)
        contentSecurityPolicy = [
            "default-src 'none'", "script-src '\(Self.source(script))'", "style-src '\(Self.source(style))'",
            "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        ].joined(separator: "; ")
        entityTag = "\"\(Data(SHA256.hash(Array(html.utf8))).base64EncodedString())\""
    }

    /// The hash of an inline text as a source of a Content-Security-Policy.
    private static func source(_ text: String) -> String {
        "sha256-\(Data(SHA256.hash(Array(text.utf8))).base64EncodedString())"
    }

    /// The page, or 304 if the browser has it already.
    func response(to request: Request) -> Response {
        // With 304, too: a browser replaces the header fields that it has kept by those of the latest answer (RFC 9111 3.2).
        var headers: HTTPFields = [
            .eTag: entityTag, .cacheControl: "no-cache", .contentSecurityPolicy: contentSecurityPolicy,
            .xContentTypeOptions: "nosniff",
        ]
        if let referrerPolicy = HTTPField.Name("Referrer-Policy") { headers[referrerPolicy] = "no-referrer" }
        let known = request.headers[values: .ifNoneMatch].flatMap { $0.split { [",", " ", "\t"].contains($0) } }
            .map { String($0.replacing("W/", with: "")) }
        if known.contains(entityTag) || known == ["*"] {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = "text/html; charset=utf-8"
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: body))
    }
}
