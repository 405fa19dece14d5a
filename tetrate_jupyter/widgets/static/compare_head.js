// The comparison's head: what was asked and how it stands, in one line, and what can be done with the whole of it.

// `ask` runs it again, `edit` unfolds or folds what is asked, `entries()` are those of the menu, `settles()` is called where another
// button has come under the pointer.
function heading({ send }, { ask, edit, entries, settles }) {
  const opening = h(
    "span",
    { class: "tetrate-title tetrate-grow" },
    icon("compare"),
    h("span", { class: "tetrate-strong" }, "Compare"),
  );
  const hides = h("span", { class: "tetrate-pill tetrate-on", hidden: true }, icon("blind"), "Blind");
  const models = chip("");
  const prompts = chip("");
  const asked = h("span", { class: "tetrate-grow tetrate-clip tetrate-asked", dir: "auto" });
  const stands = h("span", { class: "tetrate-quiet tetrate-number tetrate-stands" });
  const bar = h("progress", { max: "1", "aria-label": "Progress", hidden: true });
  const change = button("Edit", edit, {
    "aria-expanded": "false",
    "data-home": "true",
  });
  const again = worded("retry", "Run again", ask, { class: "tetrate-button tetrate-go" });
  const stop = worded("stop", "Stop", () => send("stop"), {
    class: "tetrate-button tetrate-go",
    title: "Stop all",
    hidden: true,
  });
  const more = iconButton("more", "More", null, { "data-offline": "true" });
  const node = h(
    "div",
    { class: "tetrate-top" },
    opening,
    hides,
    models,
    prompts,
    asked,
    bar,
    stands,
    again,
    stop,
    change, // behind what goes while it is open, so that it stays where it is
    more,
  );
  let isEdited = false;
  let all = /** @type {any} */ ({});

  // While what is asked is unfolded, its own button asks it.
  function draw() {
    show(again, !all.running && all.prompts > 0 && !isEdited);
  }

  return {
    node,
    menu: menu(more, "The comparison", entries).node,
    // Whether what is asked is unfolded, and whether anything was asked before.
    fold(isOpen, has) {
      isEdited = isOpen;
      change.setAttribute("aria-expanded", String(isOpen));
      setText(change, isOpen && has ? "Close" : "Edit");
      draw();
    },
    fields(told) {
      const has = told.prompts > 0;
      const count = told.columns.length;
      all = told;
      show(opening, !has);
      for (const each of [models, asked, stands, change]) show(each, has);
      show(hides, has && told.blind);
      setText(models, `${count} model${count === 1 ? "" : "s"}`);
      show(prompts, told.prompts * told.repeats > 1);
      setText(
        prompts,
        `${told.prompts.toLocaleString("en")} prompt${told.prompts === 1 ? "" : "s"}${
          told.repeats > 1 ? ` × ${told.repeats}` : ""
        }`,
      );
      setText(asked, `“${told.asked}”`);
      asked.title = told.asked;
      setText(stands, figures(told.progress));
      stands.title = told.forecast;
      bar.value = told.share;
      show(bar, told.running && told.prompts * told.repeats > 1);
      if (stop.hidden === told.running) {
        const focused = document.activeElement === again || document.activeElement === stop;
        settles();
        stop.hidden = !told.running;
        if (focused) change.focus({ preventScroll: true }); // neither may follow on a second press of the same key
      }
      draw();
      again.setAttribute("aria-disabled", String(told.busy));
    },
  };
}
