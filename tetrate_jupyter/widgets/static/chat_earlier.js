// Earlier conversations, in the talk's place: the newest of this notebook, a search, one press to go on with one (chat_earlier.py).

function earlierList({ send, view }, turned) {
  const find = h("input", { type: "search", "aria-label": "Search questions and answers", placeholder: "Search questions and answers", autocomplete: "off", spellcheck: "false" });
  const which = segments("Which", [["here", "This notebook"], ["all", "All"]], (value) => { where(value); ask(); });
  const list = h("div", { class: "tetrate-pastlist" });
  const note = h("p", { class: "tetrate-quiet", role: "status" });
  const node = h("div", { class: "tetrate-past", role: "region", "aria-label": "Earlier conversations", hidden: true },
    h("div", { class: "tetrate-pasthead" }, iconButton("left", "Back to the chat", close), h("b", {}, "Earlier conversations"), which.node),
    h("div", { class: "tetrate-search" }, icon("search"), find), list, note);
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

  find.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(ask, 150); });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.preventDefault(); close(); }
    if (!["ArrowDown", "ArrowUp"].includes(event.key) || event.target.closest(".tetrate-seg")) return;
    const all = [find, ...list.querySelectorAll("button")];
    const to = all[all.indexOf(/** @type {any} */ (document.activeElement)) + (event.key === "ArrowDown" ? 1 : -1)];
    if (!to) return;
    event.preventDefault();
    to.focus();
  });

  return {
    node,
    open() {
      find.value = "";
      where("here");
      list.replaceChildren();
      setText(note, "");
      turned(true);
      find.focus({ preventScroll: true });
      ask();
    },
    fields(past) {
      if (past?.of !== view) return;
      list.replaceChildren(...past.rows.map(([id, words, facts, found]) => h("button", { type: "button", class: "tetrate-button tetrate-plain tetrate-conv",
        onclick: () => { send("open", { identity: id }); close(); } },
        h("b", { dir: "auto" }, words), found ? h("span", { dir: "auto" }, found) : null, h("small", { class: "tetrate-quiet" }, figures(facts)))));
      setText(note, past.note);
    },
  };
}
