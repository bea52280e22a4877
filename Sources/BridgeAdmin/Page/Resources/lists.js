// What went wrong lately, and the certificates.

const troubleKey = (trouble) =>
  JSON.stringify([trouble.level, trouble.message, Object.entries(trouble.fields).sort()]);

const showTroubles = (troubles, now) => {
  byID("no-troubles").hidden = troubles.length > 0;
  const seen = new Map();
  const items = troubles.map((trouble) => {
    // Two entries may be alike in all but their times.
    const key = troubleKey(trouble);
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    return { key: `${key}${count}`, trouble };
  });
  keyed(
    byID("troubles"), items, (item) => item.key,
    ({ trouble }) => {
      const fields = Object.entries(trouble.fields).sort().map(([name, value]) => `${name}: ${printable(value)}`).join("\n");
      return make(
        "li", {},
        make("div", { class: "trouble-head" },
          make("span", { class: "level", "data-level": trouble.level }, capital(trouble.level)),
          make("p", {}, capital(trouble.message))),
        make("p", { class: "when" }),
        fields ? make("p", { class: "pairs" }, fields) : undefined,
      );
    },
    (node, { trouble }) => {
      const last = `${ago(now - trouble.time)} (${clock(trouble.time)})`;
      const text = trouble.count > 1 ? `${whole(trouble.count)} times, last ${last}` : capital(last);
      setText(node.querySelector(".when"), text);
    },
  );
};

const certificateRoles = { CA: "CA" };

const remaining = (seconds) => {
  if (seconds < 0) return ["bad", `Expired ${span(-seconds)} ago`];
  const days = Math.floor(seconds / 86400);
  const text = days >= 2 ? `${whole(days)} days left` : `${span(seconds)} left`;
  return [days < 7 ? "bad" : days < 30 ? "warning" : "good", text];
};

const showCertificates = (certificates, now) => {
  byID("no-certificates").hidden = certificates.length > 0;
  keyed(
    byID("certificates"), certificates, (certificate, index) => `${index} ${certificate.role}`,
    () => make("li", {},
      make("div", { class: "left" }, make("p"), make("p", { class: "when" })),
      make("div", { class: "right" }, make("p", { class: "days" }), make("p", { class: "when" }))),
    (node, certificate) => {
      const [kind, text] = remaining(certificate.expires_at - now);
      const [left, right] = node.children;
      setText(left.children[0], certificateRoles[certificate.role] ?? capital(certificate.role));
      setText(left.children[1], certificate.subject);
      setAttribute(right.children[0], "data-kind", kind);
      setText(right.children[0], text);
      setText(right.children[1], `Until ${day(certificate.expires_at)}`);
    },
  );
};
