// One row of the model list: tick and star, whose and what it is, prices, what it can do, and what can be done with it.

let rowNumber = 0; // ids are unique in a page

// `list` is the table it stands in: {id, all, choose, placed, reached}.
function modelRow({ send, view, announce }, list) {
  const self = () => made.self().fields;
  const act = (name, made) => {
    made.dataset.act = name;
    made.tabIndex = -1;
    return made;
  };
  const check = act(
    "tick",
    h("input", { type: "checkbox", onchange: () => send("tick", { model: self().id, on: check.checked }) }),
  );
  const star = act("star", iconButton("star", "Star", () => send("star", { model: self().id, on: !self().starred })));
  const logo = h("span", { class: "tetrate-logo" });
  const name = h("span", { class: "tetrate-id", translate: "no" });
  const about = h("span", { class: "tetrate-quiet tetrate-about", dir: "auto" });
  const chips = h("span", { class: "tetrate-chips" });
  const who = h("span", { class: "tetrate-who", role: "rowheader" }, logo, name, chips, about);
  const bar = h("i", {});
  const amount = h("span", { class: "tetrate-amount" });
  const asks = h(
    "span",
    { role: "gridcell", class: "tetrate-asks tetrate-number" },
    h("span", { class: "tetrate-pay", "aria-hidden": "true" }, bar),
    amount,
  );
  const cell = (where, ...inside) => h("span", { role: "gridcell", class: where }, ...inside);
  const [paid, written, room, can, ends] = [
    "tetrate-in tetrate-number",
    "tetrate-out tetrate-number",
    "tetrate-window tetrate-number",
    "tetrate-can",
    "tetrate-ends",
  ].map((each) => cell(each));
  const use = act(
    "use",
    worded("dot", "Use", () => list.choose(self()), { class: "tetrate-button tetrate-plain tetrate-use" }),
  );
  const beside = act(
    "compare",
    worded("compare", "Compare", () => send("compare", { of: view, models: [self().id] })),
  );
  const copied = act(
    "copy",
    iconButton("copy", "Copy id", async () => {
      await copy(self().id);
      announce("Copied");
      copied.replaceChildren(icon("check"));
      setTimeout(() => copied.replaceChildren(icon("copy")), 1200);
    }),
  );
  const line = h(
    "div",
    { class: "tetrate-option", role: "row", id: list.id(`row-${++rowNumber}`) },
    cell("tetrate-tick", h("label", {}, check)),
    cell("tetrate-star", star),
    who,
    asks,
    paid,
    written,
    room,
    can,
    ends,
    cell("tetrate-do", use, beside, copied),
  );
  line.addEventListener("click", (event) => {
    if (event.target.closest("button, label, input")) return;
    list.choose(self());
    list.reached(self().place);
  });
  const made = {
    node: line,
    reach(can) {
      for (const each of line.querySelectorAll("[data-act]")) each.tabIndex = can ? 0 : -1;
    },
    name() {
      modelId(name, self().label, list.all().words);
    },
    update(changed, told) {
      list.placed(made.self(), told.place);
      line.setAttribute("aria-selected", String(told.chosen));
      line.classList.toggle("tetrate-ticked", told.ticked);
      check.checked = told.ticked;
      check.setAttribute("aria-label", `Tick ${told.label}`);
      star.setAttribute("aria-pressed", String(told.starred));
      star.setAttribute("aria-label", `Star ${told.label}`);
      star.title = told.starred ? "Starred" : "Star";
      use.setAttribute("aria-pressed", String(told.chosen));
      setText(use.lastChild, told.chosen ? IN_USE : "Use");
      use.title = told.chosen ? IN_USE : "Use";
      use.setAttribute("aria-label", told.chosen ? `${IN_USE}: ${told.label}` : `Use ${told.label}`);
      const { chosen } = list.all();
      beside.title = told.chosen || !chosen ? "Compare with others" : `Compare with ${chosen}`;
      beside.setAttribute("aria-label", `Compare ${told.label}`);
      copied.setAttribute("aria-label", `Copy id ${told.label}`);
      if (!("label" in changed || "chosen" in changed)) return;
      who.title = aboutModel(told);
      logo.replaceChildren(mark(told.provider));
      made.name();
      setText(about, told.name);
      asks.classList.toggle("tetrate-unknown", told.bar < 0);
      bar.style.width = `${told.bar}%`;
      setText(amount, told.asks);
      paid.replaceChildren(...priced(told.input));
      written.replaceChildren(...priced(told.output));
      room.replaceChildren(...priced(told.window));
      can.replaceChildren(abilities(told.can));
      const [when, soon, over] = told.ends;
      ends.replaceChildren(
        when
          ? h(
            "span",
            { class: soon ? "tetrate-soon" : "", title: `${over ? "Retired" : "Retires"} ${when}` },
            day(when),
          )
          : "",
      );
      const ending = when && soon ? chip(`${over ? "retired" : "retires"} ${day(when)}`, "warn") : "";
      if (ending) {
        ending.prepend(icon("clock"));
        ending.classList.add("tetrate-ending");
      }
      const using = told.chosen ? chip(IN_USE, "on") : "";
      if (using) using.prepend(icon("dot"));
      chips.replaceChildren(using, ending, ...told.marks.map((each) => chip(each)));
    },
  };
  return made;
}
