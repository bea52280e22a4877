import BridgeCore
import Hummingbird

extension Router where Context == AdminContext {
    /// Health checks answer 200 or 503, and one sentence. They need no token, as those of a container have none.
    func addHealth(_ service: any MonitoredService) {
        get("/healthz") { request, _ in
            _ = try QueryReader(request, [])
            return try Self.answer(await service.liveness())
        }
        get("/readyz") { request, _ in
            _ = try QueryReader(request, [])
            return try Self.answer(await service.readiness())
        }
    }

    private static func answer(_ state: ServiceState) throws -> Response {
        try Answer.json(state, state.ok ? .ok : .serviceUnavailable)
    }
}
