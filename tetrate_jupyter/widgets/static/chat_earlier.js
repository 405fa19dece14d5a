// Earlier conversations, in the talk's place: the newest of this notebook, a search, one press to go on with one (chat_earlier.py).

function earlierList(context, turned) {
  const { send, view, told } = context;
  const find = h("input", {
    type: "search",
    "aria-label": "Search questions and answers",
    placeholder: "Search questions and answers",
    autocomplete: "off",
    spellcheck: "false",
  });
  const which = segments("Which", [["here", "This notebook"], ["all", "All"]], (value) => {
    where(value);
    ask();
  });
  const here = section("In this kernel");
  const rest = section("");
  const list = h("div", { class: "tetrate-pastlist" }, here.node, rest.node);
  const note = h("p", { class: "tetrate-quiet", role: "status" });
  const kept = h("p", { class: "tetrate-quiet tetrate-pastwhere" });
  const offer = h(
    "div",
    { class: "tetrate-pastoffer", hidden: true },
    h("p", {}, "Conversations end with this kernel."),
    button("Keep conversations", () => {
      find.focus({ preventScroll: true });
      send("keep");
    }),
    kept,
  );
  const node = h(
    "div",
    { class: "tetrate-past", role: "region", "aria-label": "Earlier conversations", hidden: true },
    h(
      "div",
      { class: "tetrate-pasthead" },
      iconButton("left", "Back to the chat", close),
      h("b", {}, "Earlier conversations"),
      which.node,
    ),
    h("div", { class: "tetrate-search" }, icon("search"), find),
    list,
    note,
    offer,
  );
  const rows = new Map();
  let everywhere = false;
  let typing = 0;

  function where(value) {
    everywhere = value === "all";
    which.set(value);
  }

  function ask() {
    clearTimeout(typing);
    send("past", { of: view, words: find.value, everywhere });
  }

  function close() {
    clearTimeout(typing);
    if (node.hidden) return;
    turned(false);
    send("past", { of: "" });
  }

  // What is in this kernel comes first; where it is on disk, too, in one row and in the order of those.
  function sorted(past) {
    const branches = new Map(
      told.earlier.filter(([branch]) => !past.here || past.here.includes(branch)).map((each) => [each[3], each]),
    );
    const onDisk = past.rows.map(([id, title, facts, found]) => ({
      id,
      title,
      facts,
      found,
      marks: past.marks[id] ?? [false, ""],
      branch: branches.get(id)?.[0] ?? "",
      isUsed: id === past.used,
    }));
    const ids = new Set(onDisk.map((each) => each.id));
    const alone = [...branches.values()].filter(([, , , id]) => !ids.has(id)).map(([branch, title, facts, id]) => ({
      id,
      title,
      facts,
      found: "",
      marks: null,
      branch,
      isUsed: false,
    }));
    const isHere = (each) => each.branch || each.isUsed;
    return [[...onDisk.filter(isHere), ...alone], onDisk.filter((each) => !isHere(each))];
  }

  // The rows that are there stay the elements they are: one of them may be having its name changed.
  function draw(past) {
    const parts = sorted(past);
    const there = new Set(parts.flat().map((each) => each.id));
    const all = [...rows.keys()];
    for (const [id, row] of [...rows]) {
      if (there.has(id)) continue;
      const at = all.indexOf(id);
      const next = all.slice(at + 1).concat(all.slice(0, at).reverse()).find((each) => there.has(each));
      if (row.node.contains(document.activeElement)) (next ? rows.get(next).open : find).focus({ preventScroll: true });
      row.node.remove();
      rows.delete(id);
    }
    [here, rest].forEach((into, number) => {
      parts[number].forEach((each, place) => {
        if (!rows.has(each.id)) rows.set(each.id, earlierRow(context, each.id, close));
        const row = rows.get(each.id);
        row.update(each);
        if (into.list.children[place] !== row.node) into.list.insertBefore(row.node, into.list.children[place] ?? null);
      });
      into.node.hidden = !parts[number].length;
    });
    rest.name(everywhere ? "All notebooks" : "This notebook", parts[0].length > 0);
    setText(note, past.note);
    setText(kept, past.offer);
    show(offer, Boolean(past.offer));
  }

  find.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(ask, 150);
  });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      close();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest(".tetrate-pastrow");
    if (!step || !(row || event.target === find)) return;
    event.preventDefault();
    const place = row ? buttonsOf(row).indexOf(event.target) : 0;
    const all = [...list.querySelectorAll(".tetrate-pastrow")];
    const to = [find, ...all][(row ? all.indexOf(row) + 1 : 0) + step];
    if (to === find) find.focus();
    else if (to) (buttonsOf(to)[place] ?? buttonsOf(to)[0]).focus();
  });

  return {
    node,
    close,
    open() {
      if (!node.hidden) return close();
      find.value = "";
      where("here");
      for (const row of rows.values()) row.node.remove();
      rows.clear();
      here.node.hidden = rest.node.hidden = offer.hidden = true;
      setText(note, "");
      turned(true);
      find.focus({ preventScroll: true });
      ask();
    },
    fields() {
      if (told.past?.of === view) draw(told.past);
    },
  };
}

// A part of the list with its heading.
function section(label) {
  const heading = h("h4", {}, label);
  const list = h("div", { role: "list", "aria-label": label || null });
  return {
    node: h("div", { class: "tetrate-pastpart" }, heading, list),
    list,
    name(called, isShown) {
      setText(heading, called);
      heading.hidden = !isShown;
      list.setAttribute("aria-label", called);
    },
  };
}

function buttonsOf(row) {
  return [...row.querySelectorAll("button")].filter((each) => !each.closest("[hidden]"));
}

// One conversation: opened by its title; where it is on disk, beside it a star, its name (Enter keeps it, Escape leaves it), and erasing,
// which asks first.
function earlierRow(context, id, close) {
  const { send } = context;
  const title = h("b", { dir: "auto" });
  const found = h("span", { dir: "auto" });
  const facts = h("small", { class: "tetrate-quiet" });
  const open = h(
    "button",
    { type: "button", class: "tetrate-button tetrate-plain tetrate-conv", onclick: go },
    title,
    found,
    facts,
  );
  const star = iconButton(
    "star",
    "Star",
    () => send("star", { identity: id, on: star.getAttribute("aria-pressed") !== "true" }),
  );
  const pencil = iconButton("pencil", "Rename", () => turn(naming));
  const bin = iconButton("bin", "Erase", () => turn(asking));
  const shown = h("div", { class: "tetrate-pastshown" }, open, star, pencil, bin);
  const field = h("input", {
    type: "text",
    maxlength: "120",
    autocomplete: "off",
    spellcheck: "true",
    "data-first": true,
  });
  const naming = h(
    "div",
    { class: "tetrate-pastshown", hidden: true },
    field,
    iconButton("check", "Keep this name", keep),
    iconButton("close", "Leave it as it was", () => turn(shown, pencil)),
  );
  const asking = h(
    "div",
    { class: "tetrate-pastshown tetrate-pastask", role: "group", hidden: true },
    h("span", {}, "Erase this conversation?"),
    button("Erase", () => {
      send("erase", { identity: id });
      turn(shown, bin);
    }),
    button("Keep", () => turn(shown, bin), { "data-first": true }),
  ); // where the bin was: a second click of a double one erases nothing
  const node = h("div", { class: "tetrate-pastrow", role: "listitem" }, shown, naming, asking);
  let name = "";
  let branch = "";
  let isUsed = false;

  // A notice goes with the conversation that it was about.
  function go() {
    if (!isUsed) context.hint("");
    if (!isUsed) branch ? send("back", { branch }) : send("open", { identity: id });
    close();
  }

  function turn(to, focused = to.querySelector("[data-first]")) {
    if (to === naming) field.value = name || title.textContent;
    node.style.minHeight = to === shown ? "" : `${node.getBoundingClientRect().height}px`; // the rows below stay where they are
    for (const each of [to, shown, naming, asking]) {
      each.hidden = each !== to;
      if (each === to) focused.focus({ preventScroll: true }); // before what had the focus is hidden
    }
    if (to === naming) field.select();
  }

  function keep() {
    if (field.value !== (name || title.textContent)) send("name", { identity: id, name: field.value });
    turn(shown, pencil);
  }

  node.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return event.stopPropagation();
    if (event.target === field && event.key === "Enter") {
      event.preventDefault();
      keep();
    }
    if (event.target === field && event.key.startsWith("Arrow")) event.stopPropagation();
    if (event.key !== "Escape" || !shown.hidden) return;
    event.preventDefault();
    event.stopPropagation();
    turn(shown, asking.hidden ? pencil : bin);
  });

  return {
    node,
    open,
    update({ title: said, facts: figured, found: hit, marks, ...where }) {
      const [starred, called] = marks ?? [false, ""];
      ({ branch, isUsed } = where);
      name = called;
      for (const each of [star, pencil, bin]) each.hidden = !marks; // they are on disk
      setText(title, said);
      setText(found, hit);
      found.hidden = !hit;
      setText(facts, (isUsed ? "In use · " : "") + figures(figured));
      star.setAttribute("aria-pressed", String(starred));
      for (const [each, does] of [[star, "Star"], [pencil, "Rename"], [bin, "Erase"], [field, "Name of"]]) {
        each.setAttribute("aria-label", `${does} ${said}`);
      }
      star.title = starred ? "Starred" : "Star";
      asking.setAttribute("aria-label", `Erase ${said}?`);
    },
  };
}
