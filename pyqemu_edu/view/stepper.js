// One recorded trace, stepped through in the browser.
//
// `stepper(root, trace, options)` builds the whole component inside `root`.  The trace comes once, in columns (see
// stepper.py); every question about a moment is answered from arrays that are made at the start.

function stepper(root, trace, options = {}) {
  const CALL = 0, RETURN = 1, RAISE = 2, EVENT = 3;
  const size = trace.kind.length;
  const last = size - 1;
  const KEYS = "← → step · ↓ into · ↑ out · o over · space play · / search · 1 2 3 tabs";

  // ---- what can be asked about a record ------------------------------------------------------------------------

  const text = (i) => trace.texts[trace.text[i]];
  const isEvent = (i) => trace.kind[i] === EVENT;
  const nameOf = (i) => (isEvent(i) ? trace.events[trace.what[i]].name : trace.functions[trace.what[i]].name);
  const callOf = (i) => (trace.kind[i] === CALL ? i : trace.parent[i]);

  function label(i) {
    if (isEvent(i)) return trace.sentences[trace.text[i]] || `${nameOf(i)} ${text(i)}`;
    if (trace.kind[i] === CALL) return `${nameOf(i)}(${text(i)})`;
    return trace.kind[i] === RETURN ? `${nameOf(i)} → ${text(i) || "None"}` : `${nameOf(i)} raised ${text(i)}`;
  }

  // ends[call] is the record that ends it; over[i] the next record of the same thread that is no deeper.
  const ends = new Int32Array(size).fill(-1);
  const over = new Int32Array(size).fill(-1);
  const inside = new Int32Array(size).fill(-1);
  (function prepare() {
    const waiting = new Map();
    const previous = new Map();
    for (let i = 0; i < size; i++) {
      const { depth, thread, kind, parent } = trace;
      if ((kind[i] === RETURN || kind[i] === RAISE) && parent[i] >= 0) ends[parent[i]] = i;
      const open = waiting.get(thread[i]) || [];
      waiting.set(thread[i], open);
      while (open.length && depth[open[open.length - 1]] >= depth[i]) over[open.pop()] = i;
      open.push(i);
      const before = previous.get(thread[i]);
      if (before !== undefined && depth[i] > depth[before]) inside[before] = i;
      previous.set(thread[i], i);
    }
  })();

  function stackOf(i) {
    const calls = [];
    for (let c = callOf(i); c >= 0; c = trace.parent[c]) calls.unshift(c);
    return calls;
  }

  function sentence(i) {
    const by = trace.kind[i] === CALL ? trace.parent[i] : trace.parent[callOf(i)];
    const who = by >= 0 ? `\`${label(by)}\`` : trace.threads[trace.thread[i] - 1];
    switch (trace.kind[i]) {
      case CALL: return by >= 0 ? `\`${label(i)}\` was called by ${who}.` : `\`${label(i)}\` begins on thread ${who}.`;
      case RETURN: return `\`${nameOf(i)}\` returned ${text(i) || "None"} to ${who}.`;
      case RAISE: return `\`${nameOf(i)}\` was left by ${text(i) || "an exception"}.`;
      default: return `${label(i)}${trace.parent[i] >= 0 ? `, in \`${nameOf(trace.parent[i])}\`` : ""}.`;
    }
  }

  // ---- the page ------------------------------------------------------------------------------------------------

  function make(tag, attributes = {}, ...children) {
    const svg = ["svg", "path", "line", "rect", "text", "g", "title"].includes(tag);
    const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value !== null && value !== false) node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  }

  // Words in `backquotes` become code.
  function rich(node, words) {
    node.replaceChildren(...words.split("`").map((part, n) => (n % 2 ? make("code", {}, part) : part)));
  }

  const button = (face, hint, action) => make("button", { type: "button", title: hint, "aria-label": hint, onclick: action }, face);

  const heading = make("div", { class: "heading" });
  const source = make("div", { class: "source", tabindex: 0, role: "region", "aria-label": "Python source" });
  const panels = ["call stack", "graph", "state"].map((name) => make("div", { role: "tabpanel", "aria-label": name, tabindex: 0 }));
  const tabs = ["call stack", "graph", "state"].map((name, n) =>
    make("button", { type: "button", role: "tab", title: `key ${n + 1}`, "aria-keyshortcuts": n + 1, onclick: () => choose(n) }, name));
  const said = make("p", { class: "said", role: "status", "aria-live": "polite" });
  const slider = make("input", { type: "range", min: 0, max: last, step: 1, "aria-label": "moment", oninput: () => go(+slider.value) });
  const jump = make("input", { type: "number", min: 0, max: last, "aria-label": "record number", onchange: () => go(+jump.value) });
  const find = make("input", { type: "search", placeholder: "search: next time that …", "aria-label": "search" });
  const found = make("span", { class: "found", role: "status" });
  const playing = button("▶ play", "play or pause (space)", () => play());
  const speed = make("select", { "aria-label": "records a second" },
    ...[1, 2, 5, 20, 100, 500].map((n) => make("option", { value: n, selected: n === 5 }, `${n}/s`)));
  const cursor = make("line", { class: "cursor", y1: 0, y2: 46 });
  const skyline = drawSkyline();
  const chips = trace.marks.map((mark, n) =>
    make("button", { type: "button", class: "chip", title: `record ${mark.index}`, onclick: () => go(mark.index) }, make("b", {}, n + 1), mark.label));

  root.classList.add("pyqemu-stepper");
  root.replaceChildren(make("div", { class: "frame", tabindex: 0, role: "group", "aria-label": trace.title, "data-lm-suppress-shortcuts": "true" },
    make("div", { class: "top" }, make("strong", {}, trace.title), make("span", { class: "keys" }, KEYS)),
    make("div", { class: "panes" },
      make("section", { class: "left" }, heading, source),
      make("section", { class: "right" }, make("div", { role: "tablist", "aria-label": "what is going on" }, ...tabs), ...panels)),
    said,
    make("div", { class: "time" }, skyline, slider),
    make("div", { class: "chips", role: "group", "aria-label": "phases" }, ...chips),
    make("div", { class: "controls" },
      button("|◀", "first record (Home)", () => go(0)),
      button("◀", "one back (←)", () => go(now - 1)),
      button("▶", "one on (→)", () => go(now + 1)),
      button("▶|", "last record (End)", () => go(last)),
      button("over", "step over this call (o)", stepOver),
      button("into", "step into (↓)", stepInto),
      button("out", "step out (↑)", stepOut),
      playing, speed,
      make("label", {}, "record ", jump, ` of ${last.toLocaleString("en")}`),
      make("span", { class: "search" }, find, found))));
  const frame = root.firstChild;

  function drawSkyline() {
    const bins = Math.min(880, Math.max(size, 2));
    const deepest = trace.depth.reduce((most, depth) => Math.max(most, depth), 1);
    const height = new Float64Array(bins);
    trace.depth.forEach((depth, i) => {
      const bin = Math.min(bins - 1, Math.floor((i * bins) / size));
      height[bin] = Math.max(height[bin], depth);
    });
    const x = (i) => (1000 * i) / Math.max(last, 1);
    const steps = [...height].map((h, n) => `L${((1000 * n) / (bins - 1)).toFixed(1)} ${(46 - (36 * h) / deepest).toFixed(1)}`);
    return make("svg", { viewBox: "0 0 1000 46", preserveAspectRatio: "none", role: "img", "aria-label": "depth of calls over time", onclick: pick },
      make("path", { class: "depth", d: `M0 46 ${steps.join(" ")} L1000 46 Z` }),
      ...trace.marks.map((mark) => make("line", { class: "mark", x1: x(mark.index), x2: x(mark.index), y1: 0, y2: 46 })),
      cursor);
  }

  function pick(event) {
    const box = skyline.getBoundingClientRect();
    go(Math.round((last * (event.clientX - box.left)) / box.width));
  }

  // ---- what the panes show of moment i -------------------------------------------------------------------------

  let shown = -1;
  function showSource(i) {
    const call = callOf(i);
    if (call < 0) {
      shown = -1;
      heading.replaceChildren(make("b", {}, "outside the recorded functions"));
      return source.replaceChildren();
    }
    const number = trace.what[call];
    const f = trace.functions[number];
    if (number !== shown) {
      heading.replaceChildren(make("b", {}, f.name), ` ${f.place} · `,
        f.link ? make("a", { href: f.link, target: "_blank", rel: "noopener" }, `${f.ours ? "ours, for " : ""}QEMU ${f.qemu} ↗`) : "not in QEMU");
      source.replaceChildren(...f.source.map((line, n) =>
        make("div", { class: "line" }, make("span", { class: "number" }, f.first + n), make("code", {}, line || " "))));
      shown = number;
    }
    const before = source.querySelector(".lit");
    before?.classList.remove("lit");
    before?.removeAttribute("aria-current");
    const lit = source.children[(trace.kind[i] === CALL ? f.line : trace.line[i]) - f.first];
    if (!lit) return;
    lit.classList.add("lit");
    lit.setAttribute("aria-current", "true");
    source.scrollTop = Math.max(0, lit.offsetTop - source.offsetTop - source.clientHeight / 3);
  }

  function showStack(panel, i) {
    const calls = stackOf(i);
    const rows = calls.map((c, n) => {
      const next = calls[n + 1];
      const at = next !== undefined ? trace.line[next] : trace.kind[i] === CALL ? 0 : trace.line[i];
      return make("li", { class: n === calls.length - 1 ? "active" : "" },
        make("button", { type: "button", class: "row", onclick: () => go(c) }, n === calls.length - 1 ? "▸ " : "", label(c)),
        at ? make("small", {}, ` line ${at}`) : "");
    });
    panel.replaceChildren(make("p", { class: "thread" }, `thread ${trace.thread[i]}: ${trace.threads[trace.thread[i] - 1]}`), make("ol", {}, ...rows));
    panel.scrollTop = panel.scrollHeight;
  }

  // The active call between its callers and those that it has called so far.
  function showGraph(panel, i) {
    const calls = stackOf(i).slice(-4);
    const active = calls[calls.length - 1];
    if (active === undefined) return panel.replaceChildren();
    const counts = new Map();
    for (let c = inside[active]; c >= 0 && c <= i && trace.depth[c] > trace.depth[active]; c = over[c])
      if (trace.kind[c] === CALL) counts.set(nameOf(c), (counts.get(nameOf(c)) || 0) + 1);
    const below = [...counts].slice(-9);
    const hidden = counts.size - below.length;
    const high = 30, wide = 210, gap = 16;
    const nodes = [];
    const node = (x, y, name, style, note) => nodes.push(make("g", { class: style },
      make("rect", { x, y, width: wide, height: high, rx: 5 }),
      make("text", { x: x + 10, y: y + 20 }, name.length > 27 ? `${name.slice(0, 26)}…` : name),
      note ? make("text", { x: x + wide - 8, y: y + 20, class: "note" }, note) : "", make("title", {}, name)));
    const edge = (path) => nodes.push(make("path", { class: "edge", d: path }));
    calls.forEach((c, n) => {
      const y = n * (high + gap);
      if (n) edge(`M105 ${y - gap} V${y}`);
      node(0, y, nameOf(c), c === active ? "active" : "caller", c === active ? "▸ here" : "");
    });
    const base = calls.length * (high + gap);
    below.forEach(([name, count], n) => {
      const y = base + n * (high + 6);
      edge(`M24 ${base - gap} V${y + high / 2} H44`);
      node(44, y, name, "callee", count > 1 ? `×${count.toLocaleString("en")}` : "");
    });
    const tall = base + below.length * (high + 6) + 20;
    panel.replaceChildren(make("svg", { viewBox: `-2 -2 262 ${tall}`, width: 262, height: tall, role: "img", "aria-label": `${nameOf(active)}, its callers and callees` }, ...nodes),
      hidden > 0 ? make("small", {}, `and ${hidden} more functions called before these`) : "");
  }

  // Every topic with the changes made to it so far; the newest are shown, this step's is marked.
  const topics = new Map();
  trace.kind.forEach((kind, i) => {
    if (kind !== EVENT) return;
    const topic = trace.events[trace.what[i]].topic;
    if (!topics.has(topic)) topics.set(topic, []);
    topics.get(topic).push(i);
  });
  function upTo(list, i) {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle] <= i) low = middle + 1; else high = middle;
    }
    return low;
  }

  function showState(panel, i) {
    const sections = [...topics].map(([topic, list]) => ({ topic, list, count: upTo(list, i) })).filter((s) => s.count)
      .sort((a, b) => b.list[b.count - 1] - a.list[a.count - 1]);
    panel.replaceChildren(...sections.map(({ topic, list, count }) => make("section", {},
      make("h4", {}, topic, make("span", {}, `${count.toLocaleString("en")} event${count === 1 ? "" : "s"}`)),
      make("ul", {}, ...list.slice(Math.max(0, count - 6), count).reverse().map((e) =>
        make("li", { class: e === i ? "new" : "" },
          make("button", { type: "button", class: "row", onclick: () => go(e) }, e === i ? "● now: " : "", label(e))))))));
    if (!sections.length) panel.replaceChildren(make("p", {}, "No event has happened yet."));
  }

  // ---- moving --------------------------------------------------------------------------------------------------

  let now = -1, tab = 0, timer = 0;
  const painters = [showStack, showGraph, showState];

  function paint() {
    if (!size) return;
    showSource(now);
    painters[tab](panels[tab], now);
    rich(said, `${now.toLocaleString("en")}. ${sentence(now)}`);
    slider.value = jump.value = now;
    slider.setAttribute("aria-valuetext", `record ${now} of ${last}`);
    const x = (1000 * now) / Math.max(last, 1);
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    const phase = trace.marks.findLastIndex((mark) => mark.index <= now);
    chips.forEach((chip, n) => (n === phase ? chip.setAttribute("aria-current", "step") : chip.removeAttribute("aria-current")));
  }

  function go(i) {
    const next = Math.max(0, Math.min(last, Number.isFinite(i) ? Math.round(i) : now));
    if (next === now) return;
    now = next;
    paint();
    options.moved?.(now);
  }

  function stepOver() {
    const target = trace.kind[now] === CALL && ends[now] >= 0 ? ends[now] : over[now];
    go(target >= 0 ? target : now + 1);
  }
  function stepInto() {
    go(inside[now] >= 0 ? inside[now] : now + 1);
  }
  function stepOut() {
    const leaving = trace.kind[now] === RETURN || trace.kind[now] === RAISE;
    const call = leaving ? trace.parent[callOf(now)] : callOf(now);
    go(call >= 0 && ends[call] >= 0 ? ends[call] : now + 1);
  }

  function play(on = !timer) {
    clearTimeout(timer);
    timer = 0;
    playing.textContent = on ? "❚❚ pause" : "▶ play";
    said.setAttribute("aria-live", on ? "off" : "polite");
    const tick = () => {
      if (!root.isConnected || now === last) return play(false);
      const rate = +speed.value;
      go(now + Math.max(1, Math.round(rate / 50)));
      timer = setTimeout(tick, Math.max(20, 1000 / rate));
    };
    if (on) timer = setTimeout(tick, 0);
  }

  function choose(n) {
    tab = n;
    tabs.forEach((t, k) => t.setAttribute("aria-selected", String(k === n)));
    panels.forEach((p, k) => (p.hidden = k !== n));
    if (now >= 0) painters[tab](panels[tab], now);
  }

  function search(direction) {
    const words = find.value.toLowerCase().split(/\s+/).filter((w) => w && w !== "of");
    if (!words.length) return;
    for (let n = 1; n <= size; n++) {
      const i = (now + direction * n + size * 2) % size;
      if (trace.kind[i] === RETURN) continue;
      const name = `${nameOf(i)} ${label(i)} ${text(i)}`.toLowerCase();
      if (words.every((word) => name.includes(word))) {
        found.textContent = (direction > 0 ? i <= now : i >= now) ? "went round the end" : "";
        return go(i);
      }
    }
    found.textContent = "not found";
  }
  // What is typed into a field is the field's alone, until Escape gives the keys back.
  function listen(field, entered) {
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") entered(event);
      if (event.key === "Escape") frame.focus();
      if (event.key !== "Tab") event.stopPropagation();
    });
  }
  listen(find, (event) => search(event.shiftKey ? -1 : 1));
  listen(jump, () => go(+jump.value));
  find.addEventListener("input", () => (found.textContent = ""));

  const ACTIONS = {
    ArrowRight: () => go(now + 1), ArrowLeft: () => go(now - 1), ArrowDown: stepInto, ArrowUp: stepOut,
    o: stepOver, Home: () => go(0), End: () => go(last), " ": () => play(), "/": () => find.focus(),
    1: () => choose(0), 2: () => choose(1), 3: () => choose(2),
  };
  frame.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === speed) return;
    if (event.key === " " && event.target.tagName === "BUTTON") return;
    const action = ACTIONS[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });

  choose(0);
  go(options.start || 0);
  return { go, stop: () => play(false), get now() { return now; } };
}

export default {
  render({ model, el }) {
    const view = stepper(el, JSON.parse(model.get("trace")), {
      start: model.get("index"),
      moved: (index) => {
        model.set("index", index);
        model.save_changes();
      },
    });
    const follow = () => view.go(model.get("index"));
    model.on("change:index", follow);
    return () => {
      view.stop();
      model.off("change:index", follow);
    };
  },
};
