import BridgeCore
import Hummingbird

extension Router where Context == AdminContext {
    /// The state of the program and of its devices.
    func addDevices(_ service: any MonitoredService) {
        get("/api/status") { request, _ in
            _ = try QueryReader(request, [])
            return try Answer.json(await service.status())
        }
        get("/api/devices") { request, _ in
            try Answer.json(await service.devices(try Self.query(of: request)))
        }
        get("/api/devices/{id}") { request, context in
            _ = try QueryReader(request, [])
            let id = try Self.id(of: context)
            guard let detail = await service.device(id) else { throw Self.gone(id) }
            return try Answer.json(detail)
        }
        post("/api/devices/{id}/disconnect") { request, context in
            _ = try QueryReader(request, [])
            let id = try Self.id(of: context)
            guard await service.disconnect(id) else { throw Self.gone(id) }
            return Response(status: .noContent)
        }
    }

    private static func query(of request: Request) throws(AdminError) -> DeviceQuery {
        let reader = try QueryReader(request, ["after", "limit", "client_id", "state", "address"])
        return DeviceQuery(
            clientID: reader.text("client_id"), state: try reader.choice("state"), address: reader.text("address"),
            after: try reader.number("after", 0...DeviceID.max) ?? 0,
            limit: try reader.number("limit", 1...1_000) ?? 100)
    }

    private static func id(of context: AdminContext) throws(AdminError) -> DeviceID {
        let text = context.parameters.get("id") ?? ""
        guard let id = DeviceID(digits: text) else {
            throw AdminError(
                .badRequest, "\(QueryReader.quoted(text)) is not the number of a device; /api/devices has them as id")
        }
        return id
    }

    private static func gone(_ id: DeviceID) -> AdminError {
        AdminError(.notFound, "device \(id) is not connected, or not any more")
    }
}
