// How numbers, sizes and times are written.

const units = (value, step, names) => {
  let index = 0;
  while (value >= step * 0.9995 && index < names.length - 1) {
    value /= step;
    index += 1;
  }
  return [value, names[index]];
};

// At most three digits that matter: 0.4, 7.5, 120.
const digits = (value) => {
  if (value === 0) return "0";
  if (value < 0.095) return "< 0.1";
  return value < 9.95 ? String(Math.round(value * 10) / 10) : String(Math.round(value));
};

const whole = (value) => Math.round(value).toLocaleString("en");

const rate = (value) => {
  if (value < 10000) return value < 1000 ? digits(value) : whole(value);
  const [short, name] = units(value, 1000, ["", "k", "M", "G"]);
  return `${short < 99.95 ? short.toFixed(1) : Math.round(short)}${name}`;
};

const bytes = (value) => {
  const [short, name] = units(value, 1000, ["B", "kB", "MB", "GB", "TB"]);
  return `${name === "B" ? whole(short) : digits(short)} ${name}`;
};

// A time in seconds that is usually a matter of milliseconds.
const latency = (seconds) => (seconds < 0.9995 ? `${digits(seconds * 1000)} ms` : `${digits(seconds)} s`);

// How long something takes or has taken, with two units at most.
const span = (seconds) => {
  const total = Math.max(0, Math.floor(seconds));
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return minutes < 10 && total % 60 ? `${minutes} min ${total % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 && days < 10 ? `${days} d ${hours % 24} h` : `${days} d`;
};

const ago = (seconds) => (seconds < 3 ? "just now" : `${span(seconds)} ago`);

const timeFormat = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const dayFormat = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });

// A time in seconds since 1970, with the date if it is not today.
const clock = (time) => {
  const date = new Date(time * 1000);
  const clockTime = timeFormat.format(date);
  return date.toDateString() === new Date().toDateString() ? clockTime : `${dayFormat.format(date)}, ${clockTime}`;
};

const day = (time) => dayFormat.format(new Date(time * 1000));

const plural = (count, word) => `${whole(count)} ${word}${count === 1 ? "" : "s"}`;

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// What the program calls those who connect to it: `serve` has clients, `run` has devices.
const words = { device: "device" };

const stateWords = { live: "Live", held: "Held", connecting: "Connecting", ending: "Ending" };

const transportWords = { quic: "QUIC", tls: "TLS over TCP", tcp: "TCP" };
