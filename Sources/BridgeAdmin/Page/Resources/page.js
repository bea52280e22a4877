// The page as a whole: what happens when an event comes, when time passes and when the connection is lost.

const historyLimit = 180;
// The program sends figures every five seconds. After this many without any, they count as old.
const staleAfter = 16;

const page = {
  status: undefined,
  history: [],
  troubles: [],
  // The time of the program less the time of this machine, in seconds.
  offset: 0,
  // When the last event came, by the program's time.
  last: undefined,
  lostBecause: undefined,
  announced: "",
};

// The program's time now, in seconds since 1970.
const pageTime = () => Date.now() / 1000 + page.offset;

const charts = makeCharts();
const details = new DeviceDetails(() => list.load());
const list = new DeviceList((id) => details.open(id));

const isLate = () => page.last !== undefined && pageTime() - page.last > staleAfter;

const showFreshness = () => {
  const isLost = page.lostBecause !== undefined || isLate();
  const state = isLost ? "lost" : page.last === undefined ? "waiting" : "live";
  setAttribute(byID("freshness"), "data-state", state);
  const text = { lost: "Not up to date", waiting: "Connecting", live: "Live" }[state];
  setText(byID("freshness-text"), isLost && page.last ? `${text} since ${clock(page.last)}` : text);
  document.body.classList.toggle("stale", isLost && page.status !== undefined);
  return isLost;
};

// What a screen reader is told: only that something else is the case, not each second of it.
const announceChange = (isLost) => {
  const { status } = page;
  let text = "";
  if (isLost) text = "This page has lost the program.";
  else if (status) {
    text = `${uplinkTitles[status.uplink.state]}. ${uplinkWay(status.uplink)}`;
    if (status.program.is_draining) text += ` Draining: no new ${words.device}s are taken.`;
  }
  if (text && text !== page.announced) announce(text);
  page.announced = text || page.announced;
};

// Shows everything again; nothing while nobody sees it.
const show = () => {
  if (document.hidden) return;
  const isLost = showFreshness();
  const lost = page.lostBecause
    ?? (isLate() ? { reason: "the program sends no figures", last: page.last } : undefined);
  const now = isLost && page.last ? page.last : pageTime();
  showBanners(page.status, now, lost, () => feed.retry());
  announceChange(isLost);
  if (!page.status) return;
  showProgram(page.status, now);
  showUplink(page.status, now);
  showFigures(page.status, page.history.at(-1));
  showTroubles(page.troubles, pageTime());
  showCertificates(page.status.certificates, pageTime());
  const mark = { up: "", down: "(!) ", unknown: "" }[page.status.uplink.state] ?? "";
  const title = `${isLost ? "(?) " : mark}mqtt-quic-bridge ${page.status.program.command}`;
  if (document.title !== title) document.title = title;
};

const showHistory = () => {
  if (document.hidden) return;
  for (const chart of charts) chart.show(page.history, page.history.at(-1)?.time ?? pageTime());
};

let reloading;
// Loads the list and the open details again, at most once per second.
const reload = () => {
  if (document.hidden) return;
  reloading ??= setTimeout(() => {
    reloading = undefined;
    list.load();
    details.load();
  }, Math.max(0, 1000 - (Date.now() - list.latest)));
};

const feed = new Feed({
  event(name, data) {
    page.offset = data.now - Date.now() / 1000;
    page.last = data.now;
    page.lostBecause = undefined;
    if (data.status) {
      if (page.status && page.status.program.started_at !== data.status.program.started_at) list.restart();
      page.status = data.status;
    }
    if (data.troubles) page.troubles = data.troubles;
    if (name === "snapshot") page.history = data.history.slice(-historyLimit);
    if (data.sample) page.history = [...page.history, data.sample].slice(-historyLimit);
    byID("content").hidden = false;
    byID("token-panel").hidden = true;
    show();
    if (name === "snapshot" || data.sample) showHistory();
    reload();
  },
  lost(reason, next) {
    page.lostBecause = { reason, last: page.last, next };
    show();
  },
  trying() {
    if (page.lostBecause) page.lostBecause.next = undefined;
    show();
  },
  askForToken,
});

// Shows the field for the token, and returns when one was given.
function askForToken(isWrong) {
  page.lostBecause = undefined;
  byID("content").hidden = true;
  byID("token-panel").hidden = false;
  keyed(byID("banners"), [], () => "", () => {}, () => {});
  setText(byID("freshness-text"), "Waiting for the token");
  setText(byID("token-problem"), isWrong ? "The program does not accept this token." : "");
  byID("token").focus();
  return new Promise((resolve) => {
    byID("token-form").addEventListener("submit", (event) => {
      event.preventDefault();
      store.write(byID("token").value.trim());
      byID("token").value = "";
      setText(byID("token-problem"), "");
      resolve();
    }, { once: true });
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  show();
  showHistory();
  reload();
});
addEventListener("online", () => feed.retry());
setInterval(show, 1000);
feed.run();
