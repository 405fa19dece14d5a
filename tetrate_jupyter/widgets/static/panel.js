// What all panels share. A kernel tells operations (drawn in feed.py); a view turns them into elements.
// HTML comes from the kernel's own renderer only; every other text is set as text.

const SLOW = 3000; // milliseconds until a person is told that the kernel hasn't answered yet
const SHARED = 1000; // milliseconds in which what one page writes into a shared document is in the others

function h(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function button(label, onclick, properties = {}) {
  return h("button", { type: "button", class: "tetrate-button", onclick, ...properties }, label);
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Figures with " · " between them, each of which stays on one line.
function figures(text) {
  return text.split(" · ").map((each) => each.replaceAll(" ", "\u00a0")).join(" · ");
}

// Shows or hides without moving the focus into nothing.
function show(node, visible) {
  if (node.hidden === !visible) return;
  if (!visible && node.contains(document.activeElement)) {
    const next = node.closest(".tetrate-panel")?.querySelector("[data-home]");
    if (next && !node.contains(next)) next.focus({ preventScroll: true });
  }
  node.hidden = !visible;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const box = h("textarea", { class: "tetrate-hidden", "aria-hidden": "true" });
    box.value = text;
    const focused = document.activeElement;
    document.body.append(box);
    box.select();
    document.execCommand("copy"); // plain http, where browsers keep their clipboard from scripts
    box.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }
}

// Lets the kernel know whether anybody still sees a view: it draws for nobody, and seldom where it hears nothing.
function presence(model, view) {
  let said = Date.now();
  const tell = (what) => {
    said = Date.now();
    try {
      model.send({ do: what, view });
    } catch {
      // the kernel has gone, or the connection to it
    }
  };
  const bye = () => tell("bye");
  window.addEventListener("pagehide", bye);
  return {
    seen() {
      if (Date.now() - said > 20_000) tell("here");
    },
    end() {
      window.removeEventListener("pagehide", bye);
      bye();
    },
  };
}

// One for each load of the page, the same in all panels, each of which is a module of its own.
function pageNumber() {
  const page = /** @type {{tetratePage?: string}} */ (window);
  page.tetratePage ??= Math.random().toString(36).slice(2);
  return page.tetratePage;
}

// Whether Enter makes a line in the chat, and Shift-Enter sends: kept for the person in JupyterLab's settings where our extension
// follows them (labextension/static/settings.js), else by the browser, where it keeps anything.
const inSettings = () => /** @type {any} */ (window).tetrateEnter;
const swapped = {
  get() {
    if (inSettings()) return inSettings().isLine;
    try {
      return localStorage.getItem("tetrate-enter") === "line";
    } catch {
      return false;
    }
  },
  set(wanted) {
    if (inSettings()) return void (inSettings().isLine = wanted);
    try {
      localStorage.setItem("tetrate-enter", wanted ? "line" : "send");
    } catch { /* for now, then */ }
  },
};

// Sends with Ctrl or Cmd and Enter. Where there is `alone`, also with Enter (Shift-Enter makes a line); where that gives true,
// with Shift-Enter (Enter makes a line). An Enter that ends a composition belongs to it; Safari tells that by 229 only.
function sends(area, action, alone) {
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.keyCode === 229 || event.altKey) return;
    if (!event.ctrlKey && !event.metaKey && (!alone || event.shiftKey !== alone())) return;
    event.preventDefault();
    if (!event.repeat) action(event);
  });
}

// One view of one panel. `make(context)` builds it and gives {node, list, fields, item, after}:
// `fields(changed, all)` and, for each item, {node, body, update(changed, all)} from `item(key)`; `after()` at the end; `lost()` once the kernel has gone.
// `outlives`: what `keep(items)` gives is for the next panel of its cell, too, however that comes about; else for one after Reconnect only.
function panel({ model, el }, label, make) {
  const view = Math.random().toString(36).slice(2);
  const told = {};
  const items = new Map();
  const waiting = new Map();
  let count = 0;
  let synced = false;
  let heard = false; // anything at all
  let asking = false; // whether the kernel knows this panel
  let writing = 0; // the timer of a fallback that is to be written

  const hiding = h("style");
  const gone = h("p", { class: "tetrate-gone", role: "status", hidden: true });
  const slow = h(
    "p",
    { class: "tetrate-slow", role: "status", hidden: true },
    "The kernel is busy. This waits until the running cell is done.",
  );
  const problem = h("p", { class: "tetrate-problem", role: "alert", hidden: true });
  const live = h("div", { class: "tetrate-hidden", "aria-live": "polite" });

  // Gives a promise of whether it was done; a refusal is shown in the panel.
  function send(action, parts = {}, buffers = []) {
    const n = ++count;
    model.send({ do: action, n, view, ...parts }, undefined, buffers);
    return new Promise((resolve) => {
      waiting.set(n, { resolve, timer: setTimeout(unanswered, SLOW) });
    });
  }

  const context = {
    send,
    el,
    model,
    told,
    view,
    copy,
    hears: new Map(), // parts that ask the kernel by messages of their own: whom an answer is for, and what takes it
    announce: (text) => {
      live.textContent = text;
    },
  };
  const made = make(context);
  made.node.style.visibility = "hidden"; // until it is told what there is: its controls act on that
  const root = h(
    "section",
    { class: "tetrate-panel tetrate-answer mathjax_ignore tex2jax_ignore", "aria-label": label },
    hiding,
    gone,
    made.node,
    problem,
    slow,
    live,
  );
  el.append(root);
  root.addEventListener("keydown", endKeys);
  window.addEventListener("keydown", keepKeys, true);

  const does = {
    panel(changed, members) {
      for (const [name, some] of Object.entries(members)) changed[name] = { ...told[name], ...some };
      Object.assign(told, changed);
      if ("hide" in changed) hiding.textContent = changed.hide;
      if ("problem" in changed) {
        setText(problem, changed.problem);
        show(problem, Boolean(changed.problem));
      }
      made.fields?.(changed, told);
    },
    order(keys) {
      const kept = new Set(keys);
      for (const [key, item] of items) {
        if (kept.has(key)) continue;
        show(item.node, false); // hands the focus on
        item.node.remove();
        item.stop?.();
        items.delete(key);
      }
      let place = made.list.firstElementChild;
      for (const key of keys) {
        let item = items.get(key);
        if (!item) {
          item = Object.assign(made.item(key), { fields: {}, tail: "", key });
          item.self = () => item; // its key may change, its fields do
          items.set(key, item);
        }
        if (item.node === place) place = place.nextElementSibling;
        else made.list.insertBefore(item.node, place); // moves only what is out of place: a moved node loses the focus
      }
    },
    rename(old, key) {
      const item = items.get(old);
      if (!item) return;
      items.delete(old);
      item.key = key;
      items.set(key, item);
    },
    item(key, changed) {
      const item = items.get(key);
      Object.assign(item.fields, changed);
      item.update?.(changed, item.fields);
    },
    body(key) {
      const item = items.get(key);
      item.body.replaceChildren();
      item.tailNode = null;
      item.tail = "";
    },
    grow(key, sizes, kept, text) {
      const item = items.get(key);
      if (!item.tailNode) item.body.append(item.tailNode = h("div", { class: "tetrate-tail" }));
      const whole = item.tail.slice(0, kept) + text;
      let at = 0;
      for (const size of sizes) item.tailNode.insertAdjacentHTML("beforebegin", whole.slice(at, at += size));
      item.tail = whole.slice(at);
      item.tailNode.innerHTML = item.tail;
      item.grown?.();
    },
  };

  function receive(message) {
    heard = true;
    if (context.hears.has(message.to)) return context.hears.get(message.to)(message);
    if (message.done && message.view === view) {
      clearTimeout(waiting.get(message.done)?.timer);
      waiting.get(message.done)?.resolve(message.ok);
      waiting.delete(message.done);
      if (!waiting.size) show(slow, false);
    }
    if (message.to === view && !synced) {
      synced = true;
      keepFor(dock());
      does.order([]);
      if (!waiting.size) show(slow, false);
    } else if (message.to || !synced) return;
    present.seen();
    if (message.fallback) writeLater(message.fallback, message.writer === view);
    made.before?.();
    for (const [name, ...operands] of message.operations ?? []) does[name](...operands);
    made.after?.();
    made.node.style.visibility = "";
    if (message.to) takeBack();
  }

  // In a document that several pages share one of them writes: outputs that two put in one's place at once are both kept. The
  // kernel names it; the page that ran the cell may have written before it, and others do where it hasn't.
  function writeLater(bundle, isWriter) {
    clearTimeout(writing);
    const write = () => writeFallback(model, told.mark, bundle);
    if (!isShared(model)) write();
    else writing = setTimeout(write, SHARED * (isWriter ? 1 : 3 + 6 * Math.random()));
  }

  // What the panel that stood here had when its kernel was restarted.
  function takeBack() {
    const place = root.closest(".jp-Cell") ?? dock();
    const kept = place?.tetrateKept;
    if (!kept) return;
    delete place.tetrateKept;
    if (!kept.of || kept.of === label) made.take?.(kept); // the cell's source may be another by now
  }

  // Where the panel stands beside the notebook (labextension/static/panel.js): what is there makes it again, as a cell can't.
  function dock() {
    return /** @type {any} */ (root.closest(".tetrate-lab-docked"));
  }

  function keepFor(place) {
    if (place) place.tetrateKeep = () => made.keep?.([...items.values()]) ?? {};
  }

  // Keys typed here are not JupyterLab's commands, but for Ctrl-S and its like, which no control of a panel uses, and its palette's.
  function passes(event) {
    if (!event.ctrlKey && !event.metaKey) return false;
    return (event.shiftKey && event.key === "C") ||
      !/^(?:[acvxyz]|Control|Meta|Shift|Alt.*|Enter|Backspace|Delete|Home|End|Arrow.*)$/i.test(event.key);
  }

  // JupyterLab before 4.1 listens before the panel does: the mark keeps it off.
  function keepKeys(event) {
    if (root.contains(event.target)) root.toggleAttribute("data-lm-suppress-shortcuts", !passes(event));
  }

  // A later one that hears of a key, or of Ctrl alone, takes back a line break or an undoing that follows, mark or not.
  function endKeys(event) {
    if (!passes(event)) event.stopPropagation();
  }

  // --- a kernel that is gone, or can't be reached ---
  const kernel = model.widget_manager?.kernel;
  const reconnect = button("Reconnect", again, { class: "tetrate-button tetrate-again" });
  let over = false;
  let ended = /** @type {any} */ (null); // the cell of a panel whose kernel has gone

  function lost(says) {
    if (over) return;
    over = true;
    ended = root.closest(".jp-Cell");
    const asks = /^%%/.test(sourceOf(model, told.mark)); // its answers cost, and those here would go
    setText(reconnect, asks ? "Run the cell again" : "Reconnect");
    gone.replaceChildren(`${says} `, reconnect, asks ? " That asks the models again." : "");
    show(reconnect, canRun(model));
    if (!canRun(model)) gone.append("Run this cell again.");
    show(gone, true);
    show(slow, false);
    root.classList.add("tetrate-lost");
    for (const each of root.querySelectorAll("button, input, select, textarea")) {
      each.disabled = each !== reconnect && !each.dataset.offline;
    }
    made.lost?.();
  }

  async function again() {
    reconnect.disabled = true;
    const anew = dock()?.tetrateAgain;
    if (anew) {
      await anew();
      reconnect.disabled = false; // it is still there where that could not be done, which is told beside it
      return;
    }
    const cell = root.closest(".jp-Cell");
    const kept = made.keep?.([...items.values()]);
    if (cell && kept) cell.tetrateKept = kept; // the panel that comes in this one's place takes it
    ended = null;
    if (await runCell(model, el)) return;
    if (cell) delete cell.tetrateKept;
    gone.replaceChildren("That can't be done from here. Run this cell again.");
  }

  // The cell runs again all the same, as by "Restart and run all": what would be lost with this panel, the next one takes.
  function leave() {
    const runs = ended?.querySelector(".jp-InputArea-prompt")?.textContent.includes("*");
    if (runs && made.outlives && !ended.tetrateKept) {
      ended.tetrateKept = { ...made.keep([...items.values()]), asked: false, of: label };
    }
  }

  const seen = (status) => {
    if (["restarting", "autorestarting"].includes(status)) lost("The kernel was restarted.");
    else if (kernel?.isDisposed || ["dead", "terminating"].includes(status)) lost("The kernel has ended.");
  };
  const looked = () => seen(kernel?.status);
  const statusChanged = (_, status) => seen(status); // it may have gone on when this is heard
  let process = "";
  const spoken = (_, { header }) => { // of a kernel that another page restarts only that another process speaks tells
    if (header.msg_type !== "status") return;
    process ||= header.session;
    if (header.session !== process) lost("The kernel was restarted.");
  };
  const connection = (_, status) => {
    if (over) return;
    if (status === "connected" && !gone.hidden) {
      show(gone, false);
      hello(); // what was told meanwhile didn't arrive
    } else if (status !== "connected") {
      gone.replaceChildren("The connection to the kernel is lost. It is tried again by itself.");
      show(gone, true);
    }
  };

  // A view that says hello is told everything; what it shows until then is taken as unknown.
  function hello() {
    synced = false;
    model.send({ do: "hello", view, page: pageNumber() });
  }

  // The kernel may be busy, or the way to it slow. One that was restarted from elsewhere answers that it doesn't know this panel.
  async function unanswered() {
    show(slow, true);
    if (over || asking || kernel?.connectionStatus !== "connected") return;
    asking = true;
    hello();
    if (await isUnknown(model, el)) lost("The kernel was restarted.");
    asking = false;
  }

  model.on("msg:custom", receive);
  kernel?.disposed?.connect(looked);
  kernel?.statusChanged?.connect(statusChanged);
  kernel?.iopubMessage?.connect(spoken);
  kernel?.connectionStatusChanged?.connect(connection);
  const present = presence(model, view);
  hello();
  const suspicion = setTimeout(() => {
    if (!heard) unanswered();
  }, SLOW);
  queueMicrotask(looked); // a page that was reloaded after its kernel had gone
  return () => {
    for (const { timer } of waiting.values()) clearTimeout(timer);
    clearTimeout(suspicion);
    window.removeEventListener("keydown", keepKeys, true);
    kernel?.disposed?.disconnect(looked);
    kernel?.statusChanged?.disconnect(statusChanged);
    kernel?.iopubMessage?.disconnect(spoken);
    kernel?.connectionStatusChanged?.disconnect(connection);
    leave();
    made.stop?.();
    for (const item of items.values()) item.stop?.();
    present.end();
    root.remove();
  };
}
