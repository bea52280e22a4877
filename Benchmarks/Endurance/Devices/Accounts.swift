import NIOCore

/// Everything that the devices and the broker's side know about the run. Confined to the run's event loop.
final class Accounts {
    var messages: MessageLedger
    var lives: LifeLedger
    var troubles = TroubleLog()
    /// Faults that are neither of messages nor of wills.
    var others = FaultList()
    /// What is excused of that.
    var excused = ExcuseCounts()
    let groups: GroupTable
    private let start = NIODeadline.now()

    /// Seconds since the beginning of the run.
    var now: Double { Double((NIODeadline.now() - start).nanoseconds) / 1e9 }

    init(_ groups: GroupTable) {
        self.groups = groups
        messages = MessageLedger { groups[$0] }
        lives = LifeLedger { groups[$0] }
    }

    /// How many faults of each list have been told.
    private var told = [0, 0, 0]

    /// What has been found since the last call.
    func newFaults() -> [Fault] {
        let lists = [messages.faults.all, lives.faults.all, others.all]
        defer { told = lists.map(\.count) }
        return zip(lists, told).flatMap { $0.dropFirst($1) }
    }

    func fault(_ kind: Fault.Kind, device: Int, at now: Double, _ detail: String = "") {
        let group = groups[device]
        others.add(
            Fault(
                kind: kind, group: group, device: device, subject: DeviceKind(number: device).name, time: now,
                troubles: troubles.names(at: now, group), detail: detail))
    }

    /// A fault of the broker's side.
    func fault(_ kind: Fault.Kind, _ subject: String, at now: Double, _ detail: String) {
        others.add(
            Fault(kind: kind, subject: subject, time: now, troubles: troubles.names(at: now, .direct), detail: detail))
    }
}
