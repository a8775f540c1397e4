// A guest's console: what it writes is shown, what is typed is sent, key by key.
const KEYS = {
  Enter: "\r", Backspace: "\x7f", Tab: "\t", Escape: "\x1b", Delete: "\x1b[3~", Home: "\x1b[H", End: "\x1b[F",
  ArrowUp: "\x1b[A", ArrowDown: "\x1b[B", ArrowRight: "\x1b[C", ArrowLeft: "\x1b[D",
};

// What a key sends: itself, a control character with Ctrl, or what a terminal sends for its name.
function sent(event) {
  if (event.metaKey || event.altKey) return "";
  if (event.ctrlKey) return /^[a-z]$/i.test(event.key) ? String.fromCharCode(event.key.toUpperCase().charCodeAt(0) - 64) : "";
  return event.key.length === 1 ? event.key : KEYS[event.key] || "";
}

export default {
  render({ model, el }) {
    el.classList.add("pyqemu-terminal");
    const screen = document.createElement("pre");
    screen.tabIndex = 0;
    screen.setAttribute("role", "log");
    screen.setAttribute("aria-label", model.get("title"));
    const line = document.createElement("p");
    el.append(screen, line);

    const show = () => {
      const atEnd = screen.scrollTop + screen.clientHeight >= screen.scrollHeight - 8;
      screen.textContent = model.get("text");
      line.textContent = model.get("state");
      if (atEnd) screen.scrollTop = screen.scrollHeight;
    };
    const type = (text) => text && model.send({ typed: text });
    screen.addEventListener("keydown", (event) => {
      const text = sent(event);
      if (!text) return;
      event.preventDefault();
      event.stopPropagation();
      type(text);
    });
    screen.addEventListener("paste", (event) => {
      event.preventDefault();
      type(event.clipboardData.getData("text").replace(/\r?\n/g, "\r"));
    });
    model.on("change", show);
    show();
    screen.scrollTop = screen.scrollHeight;
    return () => model.off("change", show);
  },
};
