// One device in detail, and its disconnection.

const yesNo = (value) => (value === undefined || value === null ? undefined : value ? "yes" : "no");

const optional = (value, format) => (value === undefined || value === null ? undefined : format(value));

const since = (time) => optional(time, (value) => `${ago(pageTime() - value)} (${clock(value)})`);

const detailGroups = (detail) => {
  const { summary, session, uplink } = detail;
  return [
    ["Connection", [
      ["State", stateWords[summary.state] ?? summary.state],
      ["Connected", `${span(pageTime() - summary.connected_at)}, since ${clock(summary.connected_at)}`],
      ["Listener", summary.listener],
      ["Sent", bytes(summary.bytes_up)],
      ["Received", bytes(summary.bytes_down)],
      [`Last from the ${words.device}`, since(detail.last_from_device) ?? "nothing yet"],
      ["Last from the broker", since(detail.last_from_broker) ?? "nothing yet"],
      ["Last problem", detail.last_problem ?? "none"],
    ]],
    ["MQTT session", session && [
      ["Version", session.version],
      ["User name", session.username],
      ["Client id at the broker", session.broker_client_id],
      ["Clean start", yesNo(session.is_clean_start)],
      ["Keep alive", session.keep_alive ? span(session.keep_alive) : "none"],
      ["Will", yesNo(session.has_will)],
      ["In flight, sent", optional(detail.in_flight_up, whole)],
      ["In flight, received", optional(detail.in_flight_down, whole)],
      ["Held for it", bytes(detail.bytes_held)],
      ["Subscriptions", optional(detail.subscriptions, (filters) => (filters.length > 0 ? filters : "none"))],
    ]],
    ["Way to the broker", uplink && [
      ["Transport", transportWords[uplink.transport] ?? uplink.transport],
      ["Mapping", uplink.mapping],
      ["Remote address", uplink.remote_address],
      ["Local address", uplink.local_address],
      ["Round trip", optional(uplink.round_trip, (value) => latency(value / 1000))],
      ["Packets lost", optional(uplink.packets_lost, whole)],
      ["Path changes", optional(uplink.path_changes, whole)],
      ["Datagram size", optional(uplink.datagram_size, (value) => `${whole(value)} B`)],
      ["Congestion window", optional(uplink.congestion_window, bytes)],
      ["Answers", optional(uplink.is_silent, (value) => (value ? "awaited, none comes" : "as expected"))],
    ]],
  ].filter(([, pairs]) => pairs);
};

class DeviceDetails {
  constructor(changed) {
    this.changed = changed;
    this.id = undefined;
    this.name = "";
    byID("details-close").addEventListener("click", () => byID("details").close());
    byID("details").addEventListener("close", () => {
      this.id = undefined;
    });
    // A click beside the sheet closes it.
    byID("details").addEventListener("click", (event) => {
      if (event.target === byID("details")) byID("details").close();
    });
    byID("disconnect").addEventListener("click", () => this.ask());
    byID("question-no").addEventListener("click", () => byID("question").close());
    byID("question-yes").addEventListener("click", () => this.disconnect());
  }

  async open(id) {
    this.id = id;
    byID("details-note").hidden = true;
    byID("disconnect").disabled = true;
    setText(byID("details-title"), "Loading");
    setText(byID("details-address"), "");
    keyed(byID("details-body"), [], () => "", () => {}, () => {});
    byID("details").showModal();
    await this.load();
  }

  // Loads the details again if they are open.
  async load() {
    const { id } = this;
    if (id === undefined) return;
    try {
      const detail = await requestJSON(`api/devices/${id}`);
      if (this.id === id) this.show(detail);
    } catch (problem) {
      if (this.id !== id) return;
      this.note(problem.status === 404
        ? `This ${words.device} has left.` : `The details cannot be loaded: ${problem.message}.`);
      if (problem.status === 404) byID("disconnect").disabled = true;
    }
  }

  show(detail) {
    this.name = printable(detail.summary.client_id ?? "") || "without a client id";
    byID("details-note").hidden = true;
    byID("disconnect").disabled = detail.summary.state === "ending";
    setText(byID("details-title"), printable(detail.summary.client_id ?? "") || "No client id yet");
    setText(byID("details-address"), detail.summary.address);
    keyed(
      byID("details-body"), detailGroups(detail), ([title]) => title,
      ([title]) => make("section", {}, make("h3", {}, title), make("dl")),
      (node, [, pairs]) => definitions(node.lastChild, pairs),
    );
  }

  note(text) {
    byID("details-note").hidden = false;
    setText(byID("details-note"), text);
  }

  ask() {
    setText(byID("question-title"), `Disconnect this ${words.device}?`);
    setText(byID("question-text"),
      `${this.name}\n\nIts session ends now. It may connect again at once, if it wants to.`);
    setText(byID("question-problem"), "");
    byID("question-yes").disabled = false;
    byID("question").showModal();
  }

  async disconnect() {
    const { id } = this;
    byID("question-yes").disabled = true;
    try {
      await request(`api/devices/${id}/disconnect`, { method: "POST" });
    } catch (problem) {
      if (problem.status !== 404) {
        setText(byID("question-problem"), `That did not work: ${problem.message}`);
        byID("question-yes").disabled = false;
        return;
      }
    }
    byID("question").close();
    byID("details").close();
    announce(`${capital(words.device)} disconnected: ${this.name}`);
    this.changed();
  }
}
