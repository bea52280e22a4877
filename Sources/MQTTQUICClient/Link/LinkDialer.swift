import Logging
import NIOCore

/// Stands in until the link half is there.
final class LinkDialer: BrokerLinkDialer {
    init(_ configuration: MQTTClientConfiguration, on eventLoop: any EventLoop, logger: Logger) {}

    func dial(connect: ByteBuffer, observer: any BrokerLinkObserver) -> any BrokerLink {
        preconditionFailure("not written yet")
    }

    func release() {}
}
