// How the answers are read: side by side or one at a time, which prompt and repeat, what differs, and blind. Once the kernel has
// gone, the other prompts come from the saved copy of the panel, which stands hidden beside it.

const LAYOUTS = [["columns", "Columns"], ["grid", "Grid"], ["one", "One at a time"]];

// `rows()`: whether prompts are in rows; `step(by)` goes to another answer, `set(layout)` lays them out, `turn(isSaved)` puts the
// saved copy in their place, or takes it away.
function readingBar(context, { rows, step, set, turn }) {
  const { send } = context;
  const quiet = { class: "tetrate-button tetrate-plain" };
  const number = (n) => n.toLocaleString("en");
  let all = /** @type {any} */ ({});
  let left = null; // the prompt of the saved copy that is open, once the kernel has gone

  const view = segments("Layout", LAYOUTS, (value) => {
    if (rows()) send("show", { how: "answers" });
    set(value);
  });
  const back = iconButton("left", "Answer before", () => step(-1));
  const next = iconButton("right", "Next answer", () => step(1));
  const which = h("span", { class: "tetrate-number" });
  const ways = h("span", { class: "tetrate-ways", hidden: true }, back, which, next);
  const differ = button(
    "Differences",
    () => send("show", { how: all.view === "differences" ? "answers" : "differences", base: base.value }),
    { ...quiet, "aria-pressed": "false" },
  );
  const base = h("select", {
    "aria-label": "compared with",
    hidden: true,
    onchange: () => send("show", { how: "differences", base: base.value }),
  });
  const every = button(
    "All prompts",
    () => left !== null ? showSaved(saved.hidden) : send("show", { how: rows() ? "answers" : "all prompts" }),
    { ...quiet, "aria-pressed": "false" },
  );
  const blind = worded("blind", "Blind", () => send("blind", { wanted: !all.blind }), {
    ...quiet,
    "aria-pressed": "false",
    title: "Hide names, order, times and costs",
  });
  const place = h("span", { class: "tetrate-number" });
  const before = iconButton("left", "Prompts before", () => go(-1));
  const after = iconButton("right", "Prompts after", () => go(1));
  const sooner = iconButton("left", "Repeat before", () => look(0, -1));
  const later = iconButton("right", "Repeat after", () => look(0, 1));
  const places = h("span", { class: "tetrate-ways", hidden: true }, before, after, place, sooner, later);
  const node = h(
    "div",
    { class: "tetrate-end tetrate-reading" },
    view.node,
    ways,
    every,
    places,
    h("span", { class: "tetrate-grow" }),
    differ,
    base,
    blind,
  );
  const says = h("p", { class: "tetrate-quiet tetrate-said", role: "status" });
  const list = h("div", { class: "tetrate-saved" });
  const saved = h("div", { hidden: true }, says, list);

  function go(by) {
    if (left !== null) open(by);
    else if (rows()) send("page", { start: all.start + by * all.window });
    else look(by, 0);
  }

  function look(prompts, repeats) {
    send("look", { prompt: all.at[0] + prompts, repeat: all.at[1] + repeats });
  }

  function range() {
    const last = Math.min(all.start + all.window, all.prompts);
    if (rows()) {
      return all.prompts > all.window
        ? `prompts ${number(all.start + 1)} to ${number(last)} of ${number(all.prompts)}`
        : "";
    }
    const said = [
      all.prompts > 1 && `prompt ${number(all.at[0] + 1)} of ${number(all.prompts)}`,
      all.repeats > 1 && `repeat ${all.at[1] + 1} of ${all.repeats}`,
    ];
    return said.filter(Boolean).join(", ");
  }

  // --- when the kernel has gone ---
  function lost() {
    if (all.prompts * all.repeats < 2 || !copied()) return;
    left = all.at[0];
    for (const each of [every, before, after]) each.disabled = false;
    if (rows()) showSaved(true);
  }

  // Takes what the saved copy has, and gives whether that is anything. It is bounded (compare/page.py): the last prompts may be missing.
  function copied() {
    const around = context.el.closest(".jp-OutputArea") ?? document;
    const part = all.prompts > 1 ? ".tetrate-of-prompt" : ".tetrate-grid"; // of one prompt: all its repeats
    const found = around.querySelectorAll(`.${all.mark} ${part}`);
    list.replaceChildren(...[...found].map((each) => each.cloneNode(true)));
    const has = all.prompts === 1
      ? "has all repeats"
      : found.length < all.prompts
      ? `has the first ${number(found.length)} of ${number(all.prompts)} prompts`
      : `has all ${number(all.prompts)} prompts`;
    setText(says, `From the saved copy, which ${has}.`);
    return found.length > 0;
  }

  function showSaved(wanted) {
    show(saved, wanted);
    every.setAttribute("aria-pressed", String(wanted));
    turn(wanted);
  }

  // Opens the prompt before or after alone.
  function open(by) {
    showSaved(true);
    const count = list.children.length;
    left = (left + by + count) % count;
    for (const [index, each] of [...list.children].entries()) {
      /** @type {HTMLDetailsElement} */ (each).open = index === left;
    }
    list.children[left].scrollIntoView({ block: "nearest" });
    setText(place, `prompt ${number(left + 1)} of ${number(all.prompts)}`);
  }

  return {
    node,
    saved,
    lost,
    look,
    set: view.set,
    // `ids` are the answers that are shown one at a time, `at` the one that is.
    steps(ids, at) {
      show(ways, ids.length > 1);
      setText(which, `${ids.indexOf(at) + 1} of ${ids.length}`);
    },
    fields(changed, told) {
      all = told;
      if ("columns" in changed) {
        base.replaceChildren(...told.columns.map(([id, label]) => h("option", { value: id }, `from ${label}`)));
      }
      base.value = told.base;
      show(base, told.view === "differences");
      differ.setAttribute("aria-pressed", String(told.view === "differences"));
      every.setAttribute("aria-pressed", String(rows()));
      show(every, told.views.includes("all prompts"));
      blind.setAttribute("aria-pressed", String(told.blind));
      setText(place, range());
      show(places, Boolean(range()));
      for (const each of [before, after]) show(each, told.prompts > 1);
      for (const each of [sooner, later]) show(each, told.repeats > 1 && !rows());
    },
  };
}
