// The upper part of the page: banners, the uplink, the figures of now and the charts.

const uplinkTitles = { up: "Broker reachable", down: "Broker unreachable", unknown: "Broker not tried lately" };

const isServe = (status) => status.program.command === "serve";

const showProgram = (status, now) => {
  const { program } = status;
  words.device = isServe(status) ? "client" : "device";
  byID("command").hidden = false;
  setText(byID("command"), program.command);
  setText(byID("program"), `Version ${program.version}, running for ${span(now - program.started_at)}`);
  setText(byID("devices-title"), capital(`${words.device}s`));
  setText(byID("table-caption"), capital(`${words.device}s, with their state and traffic`));
  setAttribute(byID("up-head"), "title", `Bytes of MQTT from the ${words.device}`);
  setAttribute(byID("down-head"), "title", `Bytes of MQTT to the ${words.device}`);
  keyed(
    byID("footer"),
    [
      `Process ${program.process_id}, started ${clock(program.started_at)}`,
    ],
    (_, index) => index, () => make("span"), setText,
  );
};

const uplinkWay = (uplink) => {
  const transport = transportWords[uplink.transport] ?? uplink.transport;
  const way = uplink.mapping ? `${transport}, mapping ${uplink.mapping}` : transport;
  switch (uplink.state) {
  case "up": return `Connected to ${uplink.endpoint} over ${way}.`;
  case "down": return `${uplink.endpoint} over ${way}: ${uplink.problem ?? "the last attempt failed"}.`.replace(/\.+$/, ".");
  default: return `${uplink.endpoint} over ${way}. Nothing has needed it lately.`;
  }
};

const showUplink = (status, now) => {
  const { uplink } = status;
  setAttribute(byID("uplink"), "data-state", uplink.state);
  setText(byID("uplink-title"), uplinkTitles[uplink.state] ?? uplink.state);
  setText(byID("uplink-way"), uplinkWay(uplink));
  setText(byID("uplink-since"), `For ${span(now - uplink.since)}, since ${clock(uplink.since)}`);
  definitions(byID("uplink-facts"), [
    ["Connections", whole(uplink.connections)],
    ["Listening on", status.listen.join(", ") || "no address"],
  ]);
};

// A value with its unit in small letters.
const figure = (text, unit) => [text, unit ? make("small", {}, ` ${unit}`) : ""];

const showFigures = (status, sample) => {
  const { devices } = status;
  const split = (text) => figure(...text.split(" "));
  const optional = (value, format) => (value === undefined || value === null ? ["–"] : format(value));
  const perSecond = (value) => figure(rate(value), "/s");
  const items = [
    [`Live ${words.device}s`, [whole(devices.live)]],
    ["Held", [whole(devices.held)], devices.held > 0],
    ["Connecting", [whole(devices.connecting)]],
    ["Messages up", optional(sample?.messages_up, perSecond)],
    ["Messages down", optional(sample?.messages_down, perSecond)],
    ["Acknowledged, p50", optional(sample?.acknowledgement_p50, (value) => split(latency(value).replace("< ", "<")))],
    ["p99", optional(sample?.acknowledgement_p99, (value) => split(latency(value).replace("< ", "<")))],
  ];
  keyed(
    byID("figures"), items, (_, index) => index, () => make("div", {}, make("dt"), make("dd")),
    (node, [name, value, isAlarming]) => {
      setText(node.firstChild, name);
      const text = value.map((part) => part.textContent ?? part).join("");
      if (node.lastChild.textContent !== text) node.lastChild.replaceChildren(...value);
      setAttribute(node, "data-alarm", String(Boolean(isAlarming)));
    },
  );
};

const makeCharts = () => {
  const charts = [
    new Chart({
      title: "Messages per second", format: rate, least: 0.5,
      series: [
        { label: "up", of: (sample) => sample.messages_up },
        { label: "down", of: (sample) => sample.messages_down },
      ],
    }),
    new Chart({
      title: "Acknowledgement by the broker", format: latency, least: 0.0005,
      series: [
        { label: "p50", of: (sample) => sample.acknowledgement_p50 },
        { label: "p99", of: (sample) => sample.acknowledgement_p99 },
      ],
    }),
    new Chart({
      title: "Bytes per second", format: bytes, least: 50,
      series: [
        { label: "up", of: (sample) => sample.bytes_up },
        { label: "down", of: (sample) => sample.bytes_down },
      ],
    }),
    new Chart({
      title: "Connected here", format: whole, least: 1,
      series: [
        { label: "live", of: (sample) => sample.live },
        { label: "held", of: (sample) => sample.held },
        { label: "connecting", of: (sample) => sample.connecting },
      ],
    }),
  ];
  byID("charts").append(...charts.map((chart) => chart.node));
  return charts;
};

const outageBanner = ({ uplink, devices }, now) => {
  const held = devices.held > 0
    ? `${plural(devices.held, words.device)} ${devices.held === 1 ? "is" : "are"} held`
    : `no ${words.device} is held`;
  return {
    key: "outage", kind: "bad", title: `Broker unreachable for ${span(now - uplink.since)}: ${held}`,
    text: uplink.problem ?? "",
  };
};

const drainBanner = ({ devices }) => {
  const count = devices.live + devices.held + devices.connecting + devices.ending;
  return {
    key: "drain", kind: "warning", title: `Draining: no new ${words.device}s are taken`,
    text: count > 0
      ? `The program ends when ${plural(count, words.device)} ${count === 1 ? "has" : "have"} left, or when the time for it is over.`
      : "The last has left.",
  };
};

// `lost` has the reason, the time of the last figures and of the next attempt, if the page has lost the program.
const showBanners = (status, now, lost, retry) => {
  const banners = [];
  if (lost) {
    const seconds = Math.max(0, Math.ceil((lost.next - Date.now()) / 1000));
    const age = lost.last ? ` What you see is of ${clock(lost.last)}.` : "";
    banners.push({
      key: "lost", kind: "bad", title: "This page has lost the program", action: retry,
      text: `${capital(lost.reason)}.${age} ${lost.next && seconds > 0 ? `Next attempt in ${seconds} s.` : "Trying now."}`,
    });
  }
  if (status?.uplink.state === "down") banners.push(outageBanner(status, now));
  if (status?.program.is_draining) banners.push(drainBanner(status));
  keyed(
    byID("banners"), banners, (banner) => banner.key,
    (banner) => {
      const node = make("div", { class: "banner", "data-kind": banner.kind }, make("strong"), make("span"));
      if (banner.action) {
        const button = make("button", { type: "button" }, "Try now");
        button.addEventListener("click", banner.action);
        node.append(button);
      }
      return node;
    },
    (node, banner) => {
      setText(node.children[0], banner.title);
      setText(node.children[1], banner.text);
    },
  );
};
