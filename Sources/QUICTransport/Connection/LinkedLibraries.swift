import CNGTCP2

/// The versions of the shared libraries that the process has loaded, which need not be those that it was built with.
package enum LinkedLibraries {
    package static var ngtcp2: String { bridge_quic_library_version().map { String(cString: $0) } ?? "?" }
    package static var gnuTLS: String { bridge_quic_tls_library_version().map { String(cString: $0) } ?? "?" }
}
