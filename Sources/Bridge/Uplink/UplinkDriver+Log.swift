import BridgeCore
import Logging

// What is logged about connections.
extension UplinkDriver {
    func log(_ news: UplinkNews) {
        switch news {
        case .connectionStocked:
            guard settings.stockShares.isFirst() else { return }
            logger.info("the broker can be reached", metadata: ["leg": "uplink"])
        case .stockedConnectionEnded(let why):
            logger.debug("a connection made ahead of time has ended", metadata: ["leg": "uplink", "error": "\(why)"])
        case .mappingChosen(let mapping, let alpn):
            guard settings.chosenMapping.changes(to: mapping) else { return }
            logger.info(
                "the broker has chosen the mapping",
                metadata: ["alpn": "\(alpn)", "mapping": "\(mapping.rawValue)", "leg": "uplink"])
        case .sharedConnectionLost(let devices, let why):
            logger.log(
                level: devices > 0 ? .warning : .debug, "a shared connection to the broker was lost",
                metadata: ["devices": "\(devices)", "error": "\(why)", "leg": "uplink"])
        case .legCameBack:
            logger.debug("CONNECT is sent again on another connection", metadata: ["leg": "uplink"])
        }
    }
}
