import BridgeCore
import Hummingbird

extension Router where Context == AdminContext {
    /// Health checks answer 200 or 503, and one sentence. They need no token, as those of a container have none.
    func addHealth(_ service: any MonitoredService) {
        get("/healthz") { request, context in
            _ = try QueryReader(request, [])
            return try Self.answer(await service.liveness(), context)
        }
        get("/readyz") { request, context in
            _ = try QueryReader(request, [])
            return try Self.answer(await service.readiness(), context)
        }
    }

    /// Addresses and certificates are for those who have the token.
    private static func answer(_ state: ServiceState, _ context: AdminContext) throws -> Response {
        let shown = context.isTrusted ? state : ServiceState(ok: state.ok, detail: state.summary)
        return try Answer.json(shown, state.ok ? .ok : .serviceUnavailable)
    }
}
