// The list of devices: search, filter and pages. The program sorts and filters, the page has one page of rows.

const pageSize = 25;

class DeviceList {
  constructor(open) {
    this.open = open;
    this.starts = [0];
    this.next = undefined;
    this.isLoading = false;
    this.isWanted = false;
    // When the list was last asked for, in milliseconds.
    this.latest = 0;
    let typing;
    const changed = () => {
      this.starts = [0];
      this.load();
    };
    for (const id of ["search", "address"]) {
      byID(id).addEventListener("input", () => {
        clearTimeout(typing);
        typing = setTimeout(changed, 250);
      });
    }
    byID("state").addEventListener("change", changed);
    byID("filters").addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(typing);
      changed();
    });
    byID("previous").addEventListener("click", () => {
      if (this.starts.length > 1) this.starts.pop();
      this.load();
    });
    byID("next").addEventListener("click", () => {
      if (this.next !== undefined) this.starts.push(this.next);
      this.load();
    });
  }

  // Back to the first page: the program has been started anew, and its devices have other numbers.
  restart() {
    this.starts = [0];
    this.next = undefined;
  }

  get query() {
    const query = new URLSearchParams({ limit: pageSize, after: this.starts.at(-1) });
    for (const [name, id] of [["client_id", "search"], ["address", "address"], ["state", "state"]]) {
      const value = byID(id).value.trim();
      if (value) query.set(name, value);
    }
    return query;
  }

  // Loads the page again. If that is asked for while it happens, it happens once more afterwards.
  async load() {
    this.isWanted = true;
    if (this.isLoading) return;
    this.isLoading = true;
    try {
      while (this.isWanted) {
        this.isWanted = false;
        this.latest = Date.now();
        const query = this.query;
        const page = await requestJSON(`api/devices?${query}`);
        // The last devices of a page may have left meanwhile.
        if (page.devices.length === 0 && this.starts.length > 1) {
          this.starts.pop();
          this.isWanted = true;
        } else if (String(query) === String(this.query)) {
          this.show(page);
        }
      }
    } catch (problem) {
      // The stream of events says if the program is gone.
      if (problem.status && problem.status !== 401) setText(byID("range"), `Not up to date: ${problem.message}`);
    } finally {
      this.isLoading = false;
    }
  }

  show(page) {
    this.next = page.next ?? undefined;
    keyed(byID("rows"), page.devices, (device) => device.id, (device) => this.row(device), showRow);
    const first = (this.starts.length - 1) * pageSize + 1;
    const last = first + page.devices.length - 1;
    const isFiltered = byID("search").value || byID("address").value || byID("state").value;
    const found = isFiltered ? "matching " : "";
    byID("table").hidden = page.devices.length === 0;
    byID("empty").hidden = page.devices.length > 0;
    setText(byID("empty"), isFiltered
      ? `No ${words.device} matches.` : `No ${words.device} is connected.`);
    setText(byID("range"), page.devices.length === 0 ? "" : page.matching <= page.devices.length
      ? plural(page.matching, `${found}${words.device}`)
      : `${whole(first)} to ${whole(last)} of ${plural(page.matching, `${found}${words.device}`)}`);
    byID("previous").disabled = this.starts.length < 2;
    byID("next").disabled = this.next === undefined;
  }

  row(device) {
    const button = make("button", { class: "open", type: "button", "aria-haspopup": "dialog" });
    const row = make(
      "tr", {},
      make("td", {}, make("span", { class: "state" })), make("td", {}, button),
      make("td", { class: "wide" }), make("td", { class: "wider" }), make("td", { class: "number" }),
      make("td", { class: "number wide" }), make("td", { class: "number wide" }),
    );
    // A click on the button arrives here too.
    row.addEventListener("click", () => {
      if (String(getSelection()) === "") this.open(device.id);
    });
    return row;
  }
}

const showRow = (row, device) => {
  const [state, name, address, listener, connected, up, down] = row.children;
  setAttribute(state.firstChild, "data-state", device.state);
  setText(state.firstChild, stateWords[device.state] ?? device.state);
  const button = name.firstChild;
  setText(button, printable(device.client_id ?? "") || "no client id yet");
  button.toggleAttribute("data-nameless", !device.client_id);
  setText(address, device.address);
  setText(listener, device.listener);
  setText(connected, span(pageTime() - device.connected_at));
  setAttribute(connected, "title", clock(device.connected_at));
  setText(up, bytes(device.bytes_up));
  setText(down, bytes(device.bytes_down));
};
