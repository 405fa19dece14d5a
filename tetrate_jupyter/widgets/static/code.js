// Buttons on code blocks: what they need of the notebook is in notebook.js.

const PYTHON = ["", "python", "py", "python3", "ipython", "pycon"]; // what Run offers to run

// An icon and a word that does something and says for a moment that it is done; it keeps its width, so that nothing moves.
function doing(name, label, done, action, properties = {}) {
  const made = worded(name, label, async () => {
    if ((await action()) === false) return;
    made.replaceChild(icon("check"), made.firstChild);
    made.setAttribute("aria-label", done);
    setTimeout(() => {
      made.replaceChild(icon(name), made.firstChild);
      if (properties["aria-label"]) made.setAttribute("aria-label", properties["aria-label"]);
      else made.removeAttribute("aria-label");
    }, 1500);
  }, properties);
  return made;
}

// Puts a bar above each finished code block of `root`. What a model still writes in is left alone.
function withButtons(root, context) {
  followTarget(context);
  for (const block of root.querySelectorAll(".tetrate-code:not(.tetrate-tools-in)")) {
    if (context.writing?.(block)) continue;
    block.classList.add("tetrate-tools-in");
    const pre = block.querySelector("pre");
    pre.tabIndex = 0; // it may scroll sideways
    pre.setAttribute("role", "group");
    pre.setAttribute("aria-label", "code");
    block.prepend(codeBar(block.dataset.language ?? "", () => pre.textContent.replace(/\n$/, ""), context));
  }
}

const READ_ONLY = "This notebook is read-only. Next: copy the code, or save the notebook under another name.";

function codeBar(language, code, context) {
  const { model, told, el } = context;
  const acts = h(
    "span",
    { class: "tetrate-acts" },
    doing("copy", "Copy", "Copied", () => copy(code()), { "aria-label": "Copy code", "data-offline": "true" }),
  );
  const into = (action) => () => { // what can't be kept is not put in
    if (!isReadOnly(model)) return action();
    (context.hint ?? context.announce)(READ_ONLY);
    return false;
  };
  if (placeOf(model, told.mark, el)) {
    acts.append(
      doing("below", "Insert below", "Inserted below", into(() => insertCell(model, told.mark, code(), el)), {
        title: "Insert as a new cell below",
        "data-below": "Insert as a new cell",
      }),
    );
    acts.append(replacing(el, into, code));
    if (PYTHON.includes(language) && canRun(model)) {
      acts.append(
        doing("play", "Run", "Running", into(() => insertAndRun(model, told.mark, el, code())), {
          title: "Insert as a new cell below and run it",
          "aria-label": "Run in a new cell below",
          "data-below": "Run in a new cell",
        }),
      );
    }
    nameBelow(acts, targets.get(el)?.active);
  }
  return h(
    "div",
    { class: "tetrate-code-tools" },
    h("span", { class: "tetrate-quiet tetrate-clip", title: language || null }, language || "code"),
    acts,
  );
}

// Beside a notebook, below which cell a new one goes is said: it is the one in front there, wherever the panel is.
function nameBelow(root, active) {
  if (active) {
    for (const each of root.querySelectorAll("[data-below]")) {
      each.title = `${each.dataset.below} below ${cellName(active)}`;
    }
  }
}

// Replaces the source of the cell one was in last; it says which, and isn't there without one.
function replacing(el, into, code) {
  const target = () => targets.get(el)?.cell;
  const made = doing("swap", "Replace cell", "Replaced", into(() => replaceSource(target(), code())), { hidden: true });
  made.classList.add("tetrate-replace");
  nameTarget(made, target());
  return made;
}

function nameTarget(button, cell) {
  button.hidden = !cell || cell.isDisposed;
  if (button.hidden) return;
  const name = `Replace the code of ${cellName(cell)}`;
  button.title = `${name} (Ctrl + Z there takes it back)`;
  button.setAttribute("aria-label", `Replace cell: ${name}`);
}

// --- the cell that code may go into: of each panel on the page, the code cell that was last active but for its own ---

const targets = new WeakMap(); // of a panel's root: {cell, end}, and beside a notebook {active}

function followTarget(context) {
  const { model, el } = context;
  const end = () => targets.get(el)?.end();
  if (targets.has(el)) return end;
  let over = false;
  let stop = () => {};
  const state = {
    cell: /** @type {any} */ (null),
    active: /** @type {any} */ (null),
    end() {
      over = true;
      targets.delete(el);
      stop();
    },
  };
  targets.set(el, state);
  notebookAround(model, el).then((found) => {
    if (over) return;
    if (!found) return void targets.delete(el); // not on the page yet: the first code looks again
    const { notebook, cell: own } = found;
    const look = () => {
      const active = notebook.activeCell;
      if (active && active !== own && active.model.type === "code") state.cell = active;
      if (state.cell?.isDisposed) state.cell = null;
      if (!own) nameBelow(el, state.active = active);
      for (const each of el.querySelectorAll(".tetrate-replace")) nameTarget(each, state.cell);
    };
    notebook.activeCellChanged.connect(look);
    stop = () => notebook.activeCellChanged.disconnect(look);
    look();
  });
  return end;
}
