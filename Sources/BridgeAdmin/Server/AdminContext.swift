import Hummingbird
import NIOCore

/// What is known of a request besides its text.
struct AdminContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Where it came from.
    let remoteAddress: SocketAddress?
    /// Whether it has the token, or there is none.
    var isTrusted = false

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress
    }
}
