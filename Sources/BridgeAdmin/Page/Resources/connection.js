// The page's connection to the program: requests, the token, and the stream of events.

const tokenKey = "mqtt-quic-bridge-token";

// A browser may refuse the storage; then the token lasts until the page is loaded again.
const store = {
  value: "",
  read() {
    try {
      return sessionStorage.getItem(tokenKey) ?? this.value;
    } catch {
      return this.value;
    }
  },
  write(value) {
    this.value = value;
    try {
      sessionStorage.setItem(tokenKey, value);
    } catch {
      // It is in `value`.
    }
  },
};

class RequestProblem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const request = async (path, options = {}) => {
  const headers = { ...options.headers };
  const token = store.read();
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(path, { cache: "no-store", credentials: "omit", ...options, headers });
  if (answer.ok) return answer;
  let message = `the program answered ${answer.status}`;
  try {
    const body = await answer.json();
    message = body.error?.message ?? body.error ?? body.detail ?? message;
  } catch {
    // An answer without a text says only its number.
  }
  throw new RequestProblem(answer.status, String(message));
};

const requestJSON = async (path, options) => (await request(path, options)).json();

// More than any event can have; a stream that has no end of an event in it is not from this program.
const largestEvent = 4000000;
// The program writes something every ten seconds at the latest.
const longestSilence = 25000;
const longestPause = 30;

// Reads the events of one connection until it ends. `EventSource` cannot send a token, so this is `fetch`.
const readEvents = async (onEvent) => {
  const aborting = new AbortController();
  let watch;
  const awake = () => {
    clearTimeout(watch);
    watch = setTimeout(() => aborting.abort(), longestSilence);
  };
  awake();
  try {
    const answer = await request("api/events", {
      headers: { Accept: "text/event-stream" }, signal: aborting.signal,
    });
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      awake();
      text += decoder.decode(value, { stream: true });
      if (text.length > largestEvent) throw new Error("an event is too long");
      let end;
      while ((end = text.indexOf("\n\n")) >= 0) {
        const lines = text.slice(0, end).split("\n");
        text = text.slice(end + 2);
        const field = (name) => lines.find((line) => line.startsWith(name))?.slice(name.length);
        const data = field("data: ");
        if (data !== undefined) onEvent(field("event: "), JSON.parse(data));
      }
    }
  } finally {
    clearTimeout(watch);
    aborting.abort();
  }
};

// Keeps the stream of events up, with growing pauses between attempts. `page` is told what becomes of it.
class Feed {
  constructor(page) {
    this.page = page;
    this.wake = () => {};
    this.isWanted = true;
  }

  retry() {
    this.wake();
  }

  async pause(seconds) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = () => {};
  }

  async run() {
    let failures = 0;
    for (;;) {
      let reason = "the program closed the connection";
      try {
        await readEvents((name, data) => {
          failures = 0;
          this.page.event(name, data);
        });
      } catch (problem) {
        if (problem.status === 401) {
          await this.page.askForToken(store.read() !== "");
          failures = 0;
          continue;
        }
        reason = problem.status ? problem.message : "the program does not answer";
      }
      const seconds = Math.min(longestPause, 2 ** Math.min(failures, 5)) * (0.75 + Math.random() / 2);
      failures += 1;
      this.page.lost(reason, Date.now() + seconds * 1000);
      await this.pause(seconds);
      this.page.trying();
    }
  }
}
