// The parts that panels are made of beside plain controls (panel.css has their look): icons, menus, switches, marks.

// Line icons of 24 by 24, drawn for this package.
const ICONS = {
  array: "M4 6h16M4 12h16M4 18h10",
  at: "M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M15.5 8.5V13a2.5 2.5 0 0 0 5 0v-1a8.5 8.5 0 1 0-3.5 6.9",
  below: "M4 5h16M4 10h16M12 14v7M8.5 17.5h7",
  bin: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  blind:
    "M4 4l16 16M9 6.5A9 9 0 0 1 12 6c5.5 0 9 6 9 6a16 16 0 0 1-3 3.5M6 8.5A16 16 0 0 0 3 12s3.5 6 9 6a9 9 0 0 0 3-.5",
  braces:
    "M9 4c-2 0-3 1-3 3v2c0 2-1 3-2 3 1 0 2 1 2 3v2c0 2 1 3 3 3M15 4c2 0 3 1 3 3v2c0 2 1 3 2 3-1 0-2 1-2 3v2c0 2-1 3-3 3",
  check: "M5 12.5l4.5 4.5L19 7.5",
  clock: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M12 7.5V12l3 2",
  close: "M6 6l12 12M18 6L6 18",
  compare:
    "M4.5 5h4A1.5 1.5 0 0 1 10 6.5v11A1.5 1.5 0 0 1 8.5 19h-4A1.5 1.5 0 0 1 3 17.5v-11A1.5 1.5 0 0 1 4.5 5M15.5 5h4A1.5 1.5 0 0 1 21 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-4a1.5 1.5 0 0 1-1.5-1.5v-11A1.5 1.5 0 0 1 15.5 5",
  copy: "M11 9h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2M5 15V6a2 2 0 0 1 2-2h8",
  dot: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8",
  down: "M7 10l5 5 5-5",
  export: "M12 4v11M7 11l5 5 5-5M5 20h14",
  eye: "M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5",
  file: "M6 4h8l4 4v12H6zM14 4v4h4",
  image:
    "M6 5h12a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2M9 8.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3M5 18l5-5 3 3 3-3 4 4",
  left: "M15 5l-7 7 7 7",
  list: "M9 6h11M9 12h11M9 18h11M4.5 6v.1M4.5 12v.1M4.5 18v.1",
  more: "M5 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2M12 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2M19 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2",
  no: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M9 9l6 6M15 9l-6 6",
  pencil: "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
  play: "M7 5l12 7-12 7z",
  plus: "M12 5v14M5 12h14",
  poor: "M12 19L5 7h14z",
  good: "M12 5l7 12H5z",
  retry: "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
  right: "M9 5l7 7-7 7",
  search: "M11 4.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M16 16l4 4",
  send: "M12 20V5M6 11l6-6 6 6",
  sliders: "M4 8h9M17 8h3M4 16h3M11 16h9M15 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4M9 14a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
  star: "M12 4l2.5 5.2 5.5.8-4 4 1 5.7-5-2.8-5 2.8 1-5.7-4-4 5.5-.8z",
  stop: "M8.5 7h7A1.5 1.5 0 0 1 17 8.5v7a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 7 15.5v-7A1.5 1.5 0 0 1 8.5 7",
  swap: "M4 8h14l-3-3M20 16H6l3 3",
  think: "M9 17h6M10 20h4M9 17c0-2-3-3.5-3-7a6 6 0 0 1 12 0c0 3.5-3 5-3 7",
  tool:
    "M14.5 6.5a4 4 0 0 1 5-1l-2.6 2.6 1 1 2.6-2.6a4 4 0 0 1-5.4 5L8 18.6a1.9 1.9 0 0 1-2.7-2.7l7.2-7a4 4 0 0 1 2-2.4z",
  up: "M7 14l5-5 5 5",
  usage: "M5 20V11M12 20V5M19 20v-7",
  warn: "M12 4l9 16H3zM12 10v4M12 17v.1",
};

const IN_USE = "In use"; // beside a dot: a tick is what marks ticked ones

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `tetrate-svg tetrate-svg-${name}`);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// A quiet button that is an icon; its name is read, and shown under the mouse.
function iconButton(name, label, onclick, properties = {}) {
  return h("button", {
    type: "button",
    class: "tetrate-button tetrate-plain tetrate-icon",
    "aria-label": label,
    title: label,
    onclick,
    ...properties,
  }, icon(name));
}

// A button of an icon and a word. Where its row has little room the word is hidden, not taken away: see .tetrate-acts.
function worded(name, label, onclick, properties = {}) {
  return h(
    "button",
    { type: "button", class: "tetrate-button tetrate-plain", onclick, title: label, ...properties },
    icon(name),
    h("span", {}, label),
  );
}

// A fact as a chip: kind is "", "good", "warn" or "on". Told by its words, never by colour alone.
function chip(text, kind = "") {
  return h("span", { class: `tetrate-pill ${kind && `tetrate-${kind}`}` }, text);
}

// A provider's mark: one letter, in a colour that is always that provider's. The name stands beside it: it isn't read.
function mark(provider) {
  let sum = 0;
  for (const letter of provider) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return h(
    "span",
    { class: "tetrate-mark", "aria-hidden": "true", style: `--hue:${sum}` },
    [...provider.trim()][0]?.toUpperCase() ?? "?",
  );
}

// An id shortened at its beginning, at a slash where there is one: the end tells models apart. The whole is the title.
function shortened(id, most = 28) {
  if (id.length <= most) return id;
  const slash = id.indexOf("/", id.length - most + 1);
  return `…${id.slice(slash < 0 ? id.length - most + 1 : slash)}`;
}

// Waiting (hatched) and writing (solid), in percent of a clock that all bars beside each other share.
function timeBar() {
  const wait = h("i", { class: "tetrate-wait" });
  const write = h("i", { class: "tetrate-write" });
  const node = h(
    "div",
    {
      class: "tetrate-time",
      role: "img",
      "aria-label": "waiting, then writing",
      title: "waiting (hatched), then writing",
    },
    wait,
    write,
  );
  return {
    node,
    set([start = 0, waited = 0, wrote = 0] = [], live = false) {
      Object.assign(wait.style, { insetInlineStart: `${start}%`, width: `${waited}%` });
      Object.assign(write.style, { insetInlineStart: `${start + waited}%`, width: `${wrote}%` });
      node.classList.toggle("tetrate-live", live);
    },
  };
}

// A switch between a few views: `choices` are [value, label]; `set(value)` shows which is on.
function segments(label, choices, onchoose) {
  const buttons = choices.map(([value, text]) =>
    h("button", {
      type: "button",
      class: "tetrate-button",
      "aria-pressed": "false",
      onclick: () => onchoose(value),
      "data-value": value,
    }, text)
  );
  return {
    node: h("div", { class: "tetrate-seg", role: "group", "aria-label": label }, ...buttons),
    set(value) {
      for (const each of buttons) each.setAttribute("aria-pressed", String(each.dataset.value === value));
    },
  };
}

// The one way to show what failed: what happened, and what to do next; `set(["", ""])` or `set([])` takes it away, `count(time)` says
// how much is left of the wait that is next.
function failure() {
  const what = h("b", { dir: "auto" });
  const next = h("span", { dir: "auto" });
  const node = h("div", { class: "tetrate-failed", hidden: true }, icon("no"), what, next);
  let told = "";
  return {
    node,
    count(time) {
      setText(next, nextIn(told, time));
    },
    set([said = "", then = ""]) {
      told = then;
      setText(what, said);
      setText(next, then);
      next.hidden = !then;
      show(node, Boolean(said));
    },
  };
}

let menus = 0;

// What opens over the page from a button, in the top layer: a panel clips what is in it. `fill(close)` makes the content each time.
// Escape and a click elsewhere close it, and the button has the focus again.
function popover(opener, fill, properties = {}) {
  const id = `tetrate-pop-${++menus}-${Math.random().toString(36).slice(2, 8)}`;
  const box = h("div", { id, class: "tetrate-pop", popover: "auto", ...properties });
  const close = () => {
    if (box.matches(":popover-open")) box.hidePopover();
  };
  const place = () => {
    const at = opener.getBoundingClientRect();
    const width = Math.min(box.offsetWidth, innerWidth - 16);
    const below = innerHeight - at.bottom;
    const above = below < Math.min(box.scrollHeight, 320) && at.top > below;
    Object.assign(box.style, {
      left: `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`,
      top: above ? "auto" : `${at.bottom + 4}px`,
      bottom: above ? `${innerHeight - at.top + 4}px` : "auto",
      maxHeight: `${Math.max(120, (above ? at.top : below) - 16)}px`,
    });
  };
  // It goes with what opened it, which an answer that arrives moves, and goes away where that rests out of sight: on the way there,
  // and under this very box, it may be anywhere.
  let resting = 0;
  const inSight = () => {
    const { left, top, width, height } = opener.getBoundingClientRect();
    const there = document.elementsFromPoint(left + width / 2, top + height / 2);
    return there.some((each) => opener.contains(each));
  };
  const away = (event) => {
    if (box.contains(event.target)) return;
    place();
    clearTimeout(resting);
    resting = setTimeout(() => inSight() || close(), 200);
  };
  box.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    opener.setAttribute("aria-expanded", String(open));
    if (open) addEventListener("scroll", away, true);
    else {
      removeEventListener("scroll", away, true);
      clearTimeout(resting);
      if (box.contains(document.activeElement) || document.activeElement === document.body) {
        opener.focus({ preventScroll: true });
      }
    }
  });
  opener.setAttribute("aria-expanded", "false");
  opener.setAttribute("aria-controls", id);
  opener.addEventListener("click", () => {
    if (box.matches(":popover-open")) return close();
    box.replaceChildren(...fill(close));
    box.showPopover();
    place();
    box.querySelector("[data-first], button, input, a, [tabindex]")?.focus({ preventScroll: true });
  });
  return { node: box, close, place };
}

// A menu: `entries()` gives [icon, label, action], with the seconds behind it where the router asked to wait; a label alone where it
// only tells, or null for a line between; arrow keys, Home and End walk it.
function menu(opener, label, entries) {
  let waits = [];
  opener.setAttribute("aria-haspopup", "menu");

  function entry(close, [sign, name, action, seconds = 0]) {
    const made = h(
      "button",
      {
        type: "button",
        role: "menuitem",
        class: "tetrate-button tetrate-plain",
        onclick: () => {
          if (!wait.left()) {
            close();
            action();
          }
        },
      },
      sign ? icon(sign) : "",
      h("span", {}, name),
    );
    const wait = countdown(made, "", () => {}, { name });
    if (seconds) {
      made.setAttribute("aria-label", name);
      wait.set(seconds);
    }
    waits.push(wait);
    return made;
  }

  const pop = popover(opener, (close) => {
    for (const wait of waits) wait.stop();
    waits = [];
    return entries().map((each) =>
      each === null
        ? h("hr", {})
        : each[2]
        ? entry(close, each)
        : h("div", { class: "tetrate-quiet tetrate-told" }, each[1])
    );
  }, { class: "tetrate-pop tetrate-menu", role: "menu", "aria-label": label });
  pop.node.addEventListener("keydown", (event) => {
    const all = [...pop.node.querySelectorAll("button:not([hidden])")];
    const at = all.indexOf(document.activeElement);
    const to = {
      ArrowDown: (at + 1) % all.length,
      ArrowUp: (at - 1 + all.length) % all.length,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[to].focus();
  });
  return pop;
}

// Where the router said when to come back, Retry counts down and is what it is again then: `done` is called. It keeps its width, so that
// nothing moves; a name of its own (aria-label) stays as it is, so that nobody is read the seconds. `name`: its word, "" for none beside
// its icon; `each` is called with the time left as text, "" at the end, for what counts with it.
function countdown(retry, title, done, { name = "Retry", each = (_) => {} } = {}) {
  const words = retry.lastChild;
  let until = 0;
  let timer = 0;

  function left() {
    return Math.max(0, Math.ceil((until - performance.now()) / 1000));
  }

  function draw() {
    const seconds = left();
    const time = !seconds ? "" : seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
    clearTimeout(timer);
    retry.classList.toggle("tetrate-counting", seconds > 0);
    setText(words, !seconds ? name : name ? `${name} in ${time}` : time);
    retry.title = seconds ? "The router asked to wait until then" : title;
    each(time);
    if (seconds) retry.setAttribute("aria-disabled", "true");
    else retry.removeAttribute("aria-disabled");
    if (seconds) timer = setTimeout(draw, (until - performance.now()) % 1000 || 1000);
    else if (until && !retry.disabled) done(); // not where the kernel is gone
    if (!seconds) until = 0;
    else retry.style.minWidth ||= retry.offsetWidth ? `${Math.ceil(retry.getBoundingClientRect().width)}px` : "";
  }

  return {
    left,
    stop() {
      clearTimeout(timer);
    },
    set(seconds) {
      until = seconds ? performance.now() + seconds * 1000 : 0;
      draw();
    },
  };
}

// The next step after a refusal, with the time that is left in place of the whole.
function nextIn(text, time) {
  return text.replace(/^Next: wait (?:\d+ s|a second), then /, time ? `Next: wait ${time}, then ` : "Next: ");
}
