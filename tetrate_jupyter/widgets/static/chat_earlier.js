// Earlier conversations, in the talk's place: the newest of this notebook, a search, one press to go on with one (chat_earlier.py).

function earlierList({ send, view }, turned) {
  const find = h("input", { type: "search", "aria-label": "Search questions and answers", placeholder: "Search questions and answers", autocomplete: "off", spellcheck: "false" });
  const which = segments("Which", [["here", "This notebook"], ["all", "All"]], (value) => { where(value); ask(); });
  const list = h("div", { class: "tetrate-pastlist", role: "list" });
  const note = h("p", { class: "tetrate-quiet", role: "status" });
  const node = h("div", { class: "tetrate-past", role: "region", "aria-label": "Earlier conversations", hidden: true },
    h("div", { class: "tetrate-pasthead" }, iconButton("left", "Back to the chat", close), h("b", {}, "Earlier conversations"), which.node),
    h("div", { class: "tetrate-search" }, icon("search"), find), list, note);
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

  // The rows that are there stay the elements they are: one of them may be having its name changed.
  function draw(past) {
    const there = new Set(past.rows.map(([id]) => id));
    const all = [...rows.keys()];
    for (const [id, row] of [...rows]) {
      if (there.has(id)) continue;
      const at = all.indexOf(id);
      const next = all.slice(at + 1).concat(all.slice(0, at).reverse()).find((each) => there.has(each));
      if (row.node.contains(document.activeElement)) (next ? rows.get(next).open : find).focus({ preventScroll: true });
      row.node.remove();
      rows.delete(id);
    }
    past.rows.forEach(([id, title, facts, found], place) => {
      if (!rows.has(id)) rows.set(id, earlierRow(send, id, close));
      const row = rows.get(id);
      row.update(title, facts, found, ...(past.marks[id] ?? [false, ""]));
      if (list.children[place] !== row.node) list.insertBefore(row.node, list.children[place] ?? null);
    });
    setText(note, past.note);
  }

  find.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(ask, 150); });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.preventDefault(); close(); }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest(".tetrate-pastrow");
    if (!step || !(row || event.target === find)) return;
    event.preventDefault();
    const place = row ? buttonsOf(row).indexOf(event.target) : 0;
    const to = [find, ...list.children][(row ? [...list.children].indexOf(row) + 1 : 0) + step];
    if (to === find) find.focus();
    else if (to) (buttonsOf(to)[place] ?? buttonsOf(to)[0]).focus();
  });

  return {
    node,
    open() {
      find.value = "";
      where("here");
      rows.clear();
      list.replaceChildren();
      setText(note, "");
      turned(true);
      find.focus({ preventScroll: true });
      ask();
    },
    fields(past) {
      if (past?.of === view) draw(past);
    },
  };
}

function buttonsOf(row) {
  return [...row.querySelectorAll("button")].filter((each) => !each.closest("[hidden]"));
}

// One conversation: opened by its title; beside it a star, its name (Enter keeps it, Escape leaves it), and erasing, which asks first.
function earlierRow(send, id, close) {
  const title = h("b", { dir: "auto" });
  const found = h("span", { dir: "auto" });
  const facts = h("small", { class: "tetrate-quiet" });
  const open = h("button", { type: "button", class: "tetrate-button tetrate-plain tetrate-conv", onclick: () => { send("open", { identity: id }); close(); } }, title, found, facts);
  const star = iconButton("star", "Star", () => send("star", { identity: id, on: star.getAttribute("aria-pressed") !== "true" }));
  const pencil = iconButton("pencil", "Rename", () => turn(naming));
  const bin = iconButton("bin", "Erase", () => turn(asking));
  const shown = h("div", { class: "tetrate-pastshown" }, open, star, pencil, bin);
  const field = h("input", { type: "text", maxlength: "120", autocomplete: "off", spellcheck: "true", "data-first": true });
  const naming = h("div", { class: "tetrate-pastshown", hidden: true }, field,
    iconButton("check", "Keep this name", keep), iconButton("close", "Leave it as it was", () => turn(shown, pencil)));
  const asking = h("div", { class: "tetrate-pastshown tetrate-pastask", role: "group", hidden: true }, h("span", {}, "Erase this conversation?"),
    button("Erase", () => { send("erase", { identity: id }); turn(shown, bin); }),
    button("Keep", () => turn(shown, bin), { "data-first": true })); // where the bin was: a second click of a double one erases nothing
  const node = h("div", { class: "tetrate-pastrow", role: "listitem" }, shown, naming, asking);
  let name = "";

  function turn(to, focused = to.querySelector("[data-first]")) {
    if (to === naming) field.value = name || title.textContent;
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
    if (event.target === field && event.key === "Enter") { event.preventDefault(); keep(); }
    if (event.target === field && event.key.startsWith("Arrow")) event.stopPropagation();
    if (event.key !== "Escape" || !shown.hidden) return;
    event.preventDefault();
    event.stopPropagation();
    turn(shown, asking.hidden ? pencil : bin);
  });

  return {
    node,
    open,
    update(said, figured, hit, starred, called) {
      name = called;
      setText(title, said);
      setText(found, hit);
      found.hidden = !hit;
      setText(facts, figures(figured));
      star.setAttribute("aria-pressed", String(starred));
      for (const [each, does] of [[star, "Star"], [pencil, "Rename"], [bin, "Erase"], [field, "Name of"]]) each.setAttribute("aria-label", `${does} ${said}`);
      star.title = starred ? "Starred" : "Star";
      asking.setAttribute("aria-label", `Erase ${said}?`);
    },
  };
}
