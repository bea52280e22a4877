// A line chart of the last 15 minutes, drawn as SVG.

const chartSpan = 900;
// Samples that are further apart than this have a gap between them.
const chartGap = 12;
const chartHeight = 150;
const chartEdge = { left: 52, right: 10, top: 10, bottom: 22 };

// The distance of the horizontal lines: 1, 2 or 5 with any number of zeros, so that there are two to five of them.
const niceStep = (top, least) => {
  const rough = Math.max(top / 4, least);
  const power = 10 ** Math.floor(Math.log10(rough) + 1e-9);
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.9999);
};

class Chart {
  // `series` have a label and a function that takes the value out of a sample, or undefined if there is none.
  // `least` is the smallest distance of two horizontal lines.
  constructor({ title, series, format, least }) {
    this.title = title;
    this.series = series;
    this.format = format;
    this.least = least;
    this.samples = [];
    this.now = 0;
    this.width = 0;
    this.pointer = undefined;
    this.values = series.map(() => make("b"));
    this.when = make("span", { class: "muted" });
    const legend = make("ul", { class: "legend" }, ...series.map((line, index) => make(
      "li", {},
      makeSVG("svg", { viewBox: "0 0 20 8", "aria-hidden": "true" },
        makeSVG("path", { d: "M1 4H19", class: `series s${index}` })),
      line.label, this.values[index],
    )));
    this.grid = makeSVG("g");
    this.lines = series.map((_, index) => makeSVG("path", { class: `series s${index}` }));
    this.dots = series.map((_, index) => makeSVG("path", { class: `dots s${index}` }));
    this.cursor = makeSVG("path", { class: "cursor" });
    this.svg = makeSVG("svg", { role: "img", "aria-label": title }, this.grid, this.cursor, ...this.lines,
      ...this.dots);
    this.node = make("div", { class: "panel chart" },
      make("div", { class: "chart-head" }, make("h3", {}, title, " ", this.when), legend), this.svg);
    new ResizeObserver(([entry]) => {
      this.width = Math.round(entry.contentRect.width);
      this.draw();
    }).observe(this.svg);
    this.svg.addEventListener("pointermove", (event) => {
      this.pointer = event.clientX - this.svg.getBoundingClientRect().left;
      this.draw();
    });
    this.svg.addEventListener("pointerleave", () => {
      this.pointer = undefined;
      this.draw();
    });
  }

  show(samples, now) {
    this.samples = samples;
    this.now = now;
    this.draw();
  }

  // The sample that the legend shows: the one under the pointer, otherwise the last one.
  chosen(x) {
    const { samples, pointer } = this;
    if (pointer === undefined) return samples.at(-1);
    let best;
    for (const sample of samples) {
      if (!best || Math.abs(x(sample.time) - pointer) < Math.abs(x(best.time) - pointer)) best = sample;
    }
    return best;
  }

  draw() {
    if (this.width < 80) return;
    const inner = this.width - chartEdge.left - chartEdge.right;
    const x = (time) => chartEdge.left + inner * (1 - (this.now - time) / chartSpan);
    let top = 0;
    for (const sample of this.samples) {
      for (const line of this.series) top = Math.max(top, line.of(sample) ?? 0);
    }
    const step = niceStep(top, this.least);
    const steps = Math.max(2, Math.ceil(top / step - 1e-9));
    const height = chartHeight - chartEdge.top - chartEdge.bottom;
    const y = (value) => chartHeight - chartEdge.bottom - (height * value) / (step * steps);
    setAttribute(this.svg, "viewBox", `0 0 ${this.width} ${chartHeight}`);
    this.drawGrid(x, y, step, steps);
    this.series.forEach((line, index) => this.drawLine(line, index, x, y));
    const chosen = this.chosen(x);
    const isPast = chosen && this.pointer !== undefined;
    setAttribute(this.cursor, "d", isPast ? `M${x(chosen.time).toFixed(1)} ${chartEdge.top}V${chartHeight - chartEdge.bottom}` : "");
    setText(this.when, isPast ? clock(chosen.time) : "");
    this.series.forEach((line, index) => {
      const value = chosen && line.of(chosen);
      setText(this.values[index], value === undefined || value === null ? "–" : this.format(value));
    });
    setAttribute(this.svg, "aria-label", this.summary());
  }

  drawGrid(x, y, step, steps) {
    const right = this.width - chartEdge.right;
    const parts = [];
    for (let index = 0; index <= steps; index += 1) {
      const place = Math.round(y(index * step)) + 0.5;
      parts.push(
        makeSVG("path", { class: "grid", d: `M${chartEdge.left} ${place}H${right}` }),
        makeSVG("text", { x: chartEdge.left - 7, y: place + 3.5, "text-anchor": "end" }, this.format(index * step)),
      );
    }
    for (const minutes of [15, 10, 5, 0]) {
      const anchor = minutes === 15 ? "start" : minutes === 0 ? "end" : "middle";
      parts.push(makeSVG(
        "text", { x: x(this.now - minutes * 60), y: chartHeight - 5, "text-anchor": anchor },
        minutes ? `${minutes} min${this.width < 400 ? "" : " ago"}` : "now",
      ));
    }
    this.grid.replaceChildren(...parts);
  }

  drawLine(line, index, x, y) {
    let path = "";
    let dots = "";
    let run = [];
    let before;
    const finish = () => {
      if (run.length > 1) path += `M${run.join("L")}`;
      else if (run.length === 1) dots += `M${run[0]}h0`;
      run = [];
    };
    for (const sample of this.samples) {
      const value = line.of(sample);
      if (before !== undefined && sample.time - before > chartGap) finish();
      before = sample.time;
      if (value === undefined || value === null || sample.time < this.now - chartSpan) finish();
      else run.push(`${x(sample.time).toFixed(1)} ${y(value).toFixed(1)}`);
    }
    finish();
    setAttribute(this.lines[index], "d", path);
    setAttribute(this.dots[index], "d", dots);
  }

  // The chart in words, for those who do not see it.
  summary() {
    const texts = this.series.map((line) => {
      const values = this.samples.map(line.of).filter((value) => value !== undefined && value !== null);
      if (values.length === 0) return `${line.label}: no figures yet`;
      const format = (value) => this.format(value);
      return `${line.label}: lately ${format(values.at(-1))}, lowest ${format(Math.min(...values))}, `
        + `highest ${format(Math.max(...values))}`;
    });
    return `${this.title} over the last 15 minutes. ${texts.join(". ")}.`;
  }
}
