// What can be named in a prompt, offered while somebody types `{` or `@` in a box: the kernel says what there is (naming.py).

const BEGINS = /(?:\{\w*|@(?:"[^"]*|[^\s"]*))$/u; // roughly: the kernel knows the rule
const PATIENCE = 3000; // milliseconds for an answer, before it is asked again

let namings = 0;

// Gives the list, to be put into the panel, of what `area` offers; made before other listeners of its keys, since Enter takes what is marked here and does nothing else.
// The list is in the page's top layer, beside the box in the document; the focus stays in the box.
function naming({ model, view, hears, announce }, area) {
  const own = `tetrate-names-${++namings}-${view}`;
  const list = h("div", {
    id: own,
    class: "tetrate-pop tetrate-names",
    role: "listbox",
    "aria-label": "What can be named",
    popover: "manual",
    tabindex: "0",
  });
  let offered = []; // [text, what it is] of each
  let more = false;
  let line = ""; // before the cursor, as it was asked about
  let begun = ""; // its end, which each of them stands for
  let at = 0;
  let taking = false;
  let asked = 0; // when the kernel was asked what it hasn't answered yet; 0 for nothing
  let next = false; // whether to ask again then
  let top = 0; // of the box, and its height
  let height = 0;

  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", own);
  area.addEventListener("focus", () => hears.set(own, answered));
  area.addEventListener("blur", () => {
    hears.delete(own);
    close();
  });
  area.addEventListener("input", (event) => {
    if (!event.isComposing && !taking) look();
  });
  area.addEventListener("compositionend", look);
  area.addEventListener("keyup", (event) => {
    if (/^(?:Arrow(?:Left|Right)|Home|End)$/.test(event.key) && before() !== line) close();
  });
  area.addEventListener("click", close);
  area.addEventListener("keydown", pressed);
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the box
  list.addEventListener("click", (event) => {
    const place = [...list.children].indexOf(event.target.closest("[role=option]"));
    if (place >= 0) take(place);
  });

  function before() {
    const text = area.value.slice(0, area.selectionStart);
    return area.selectionStart === area.selectionEnd ? text.slice(text.lastIndexOf("\n") + 1).slice(-600) : "";
  }

  // What has become of the list meanwhile is seen at once; the kernel says the rest.
  function look() {
    const now = before();
    const gone = line.length - now.length;
    const typed = !begun
      ? ""
      : now.startsWith(line)
      ? begun + now.slice(line.length)
      : line.startsWith(now)
      ? begun.slice(0, Math.max(0, begun.length - gone))
      : "";
    line = now;
    begun = typed;
    offered = typed ? offered.filter(([text]) => text.startsWith(typed)) : [];
    at = Math.max(at, firstOf(typed));
    draw();
    ask();
  }

  // One question at a time: a kernel that runs a cell answers all of them after it.
  function ask() {
    next = BEGINS.test(line) && Date.now() - asked < PATIENCE;
    if (next || !BEGINS.test(line)) return;
    asked = Date.now();
    try {
      model.send({ do: "offer", view, of: own, line });
    } catch {
      asked = 0; // the kernel has gone, which is told elsewhere
    }
  }

  function answered(message) {
    asked = 0;
    if (next) ask();
    if (before() !== line || !message.begun || !line.endsWith(message.begun)) return; // it is about what stood there before
    [begun, offered, more] = [message.begun, message.offered, message.more];
    at = firstOf(begun);
    draw();
  }

  // None behind a brace alone, where Enter is a new line: what is written may be JSON or code.
  function firstOf(typed) {
    return typed === "{" ? -1 : 0;
  }

  function draw() {
    if (!offered.length || (offered.length === 1 && offered[0][0] === begun)) return close();
    at = Math.min(at, offered.length - 1);
    list.replaceChildren(
      ...offered.map(([text, what], place) =>
        h(
          "div",
          {
            role: "option",
            id: `${own}-${place}`,
            "aria-selected": "false",
            class: "tetrate-choice",
            title: `${text}\n${what}`,
          },
          h("span", { class: "tetrate-mono tetrate-clip", translate: "no" }, text),
          h("span", { class: "tetrate-quiet tetrate-clip", dir: "auto" }, what),
        )
      ),
      ...(more ? [h("div", { class: "tetrate-quiet tetrate-told", role: "presentation" }, "Type on for others")] : []),
    );
    if (!isOpen()) {
      list.showPopover();
      requestAnimationFrame(follow);
      announce(
        `${offered.length} ${offered.length === 1 ? "name" : "names"}${more ? " and more" : ""}; ${
          at < 0 ? "arrow keys choose" : "Enter takes one"
        }, Escape closes the list`,
      );
    }
    place();
    point();
  }

  // The box moves with an answer that grows above it, and with what is scrolled.
  function follow() {
    if (!isOpen()) return;
    const box = area.getBoundingClientRect();
    if (area.disabled || box.bottom < 0 || box.top > innerHeight) return close();
    if (box.top !== top || box.height !== height) place();
    requestAnimationFrame(follow);
  }

  function place() {
    const box = area.getBoundingClientRect();
    [top, height] = [box.top, box.height];
    const below = innerHeight - box.bottom;
    const above = below < 260 && box.top > below;
    Object.assign(list.style, {
      width: `${Math.min(460, box.width)}px`,
      left: `${Math.max(8, Math.min(box.left, innerWidth - Math.min(460, box.width) - 8))}px`,
      top: above ? "auto" : `${box.bottom + 4}px`,
      bottom: above ? `${innerHeight - box.top + 4}px` : "auto",
      maxHeight: `${Math.max(60, Math.min(240, (above ? box.top : below) - 12))}px`,
    });
  }

  function point() {
    for (const [place, each] of [...list.querySelectorAll("[role=option]")].entries()) {
      each.classList.toggle("tetrate-at", place === at);
      each.setAttribute("aria-selected", String(place === at));
      if (place === at) each.scrollIntoView({ block: "nearest" });
    }
    if (at < 0) area.removeAttribute("aria-activedescendant");
    else area.setAttribute("aria-activedescendant", `${own}-${at}`);
  }

  function isOpen() {
    return list.matches(":popover-open");
  }

  function close() {
    offered = [];
    begun = "";
    if (!isOpen()) return;
    list.hidePopover();
    area.removeAttribute("aria-activedescendant");
  }

  function pressed(event) {
    if (
      !isOpen() || event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey ||
      event.shiftKey
    ) return;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (event.key in steps) {
      const to = Math.max(at, event.key === "ArrowUp" ? 0 : -1) + steps[event.key];
      at = Math.abs(steps[event.key]) > 1
        ? Math.max(0, Math.min(to, offered.length - 1))
        : (to + offered.length) % offered.length;
      point();
    } else if (/^(?:Enter|Tab)$/.test(event.key)) {
      if (at < 0 || before() !== line) return close(); // nothing is marked, or the cursor is elsewhere
      take(at);
    } else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  function take(place) {
    const [text] = offered[place];
    const from = area.selectionStart - begun.length;
    const closed = /[}"]$/.test(text) && area.value[area.selectionStart] === text.slice(-1) ? 1 : 0;
    const isFolder = /\/"?$/.test(text);
    close();
    taking = true;
    area.setSelectionRange(from, area.selectionStart + closed);
    if (!document.execCommand("insertText", false, text)) { // it can be taken back with Ctrl-Z; this can't
      area.setRangeText(text, from, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input"));
    }
    taking = false;
    if (!isFolder) return;
    if (text.endsWith('"')) area.setSelectionRange(area.selectionStart - 1, area.selectionStart - 1);
    look(); // for what is in it
  }

  return list;
}
