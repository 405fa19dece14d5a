// The model list: a search box, filters and a table that sorts, of whose rows only those in sight are in the page.

const HEADS = /** @type {any[]} */ ([ // [sort, label, the same where there is little room, tooltip, class]
  ["name", "Model", "", "Sort by model", "tetrate-who"],
  ["price", "≈ 1,000 short questions", "≈ 1,000", "100 tokens in and 60 out each, without reasoning", "tetrate-asks"],
  ["input price", "$ in", "", "US dollars per million tokens in", "tetrate-in"],
  ["output price", "$ out", "", "US dollars per million tokens out", "tetrate-out"],
  ["context", "Window", "", "Tokens that prompt and answer may have together", "tetrate-window"],
  ["", "Abilities", "", "", "tetrate-can"],
  ["retirement", "Retires", "", "The day the model goes away", "tetrate-ends"],
]);

function picker(context) {
  const { send, announce, view, el, model } = context;
  const id = (part) => `tetrate-${view}-${part}`;
  const list = h("div", { class: "tetrate-list", role: "rowgroup" });
  const titles = h("div", { class: "tetrate-titles", role: "rowgroup" });
  const rowsBox = h("div", { class: "tetrate-rows", role: "presentation" }, titles, list);
  const heads = h(
    "div",
    { class: "tetrate-heads", role: "row", "aria-rowindex": "1" },
    h("span", { role: "columnheader", class: "tetrate-tick" }, h("span", { class: "tetrate-hidden" }, "Ticked")),
    h("span", { role: "columnheader", class: "tetrate-star" }, h("span", { class: "tetrate-hidden" }, "Starred")),
    ...HEADS.map(head),
    h("span", { role: "columnheader", class: "tetrate-do" }, h("span", { class: "tetrate-hidden" }, "Actions")),
  );
  const box = h(
    "div",
    { class: "tetrate-box", role: "grid", id: id("list"), "aria-label": "Models" },
    h("div", { role: "rowgroup", class: "tetrate-headbox" }, heads),
    rowsBox,
  );
  const words = h("input", {
    type: "search",
    role: "combobox",
    "aria-label": "Search models",
    "aria-expanded": "true",
    "aria-haspopup": "grid",
    "aria-controls": id("list"),
    autocomplete: "off",
    spellcheck: "false",
    "data-home": "true",
    placeholder: "Name, images, cheap, 200k, claude-*",
  });
  const count = h("span", { class: "tetrate-quiet tetrate-number tetrate-count" });
  const empty = iconButton("close", "Clear search", () => {
    clear();
    words.focus();
  }, { hidden: true });
  const slash = h("kbd", { "aria-hidden": "true" }, "/");
  const provider = h("select", { "aria-label": "Provider", onchange: () => find({ provider: provider.value }) });
  const filters = h(
    "span",
    { class: "tetrate-filters", role: "group", "aria-label": "Must have" },
    ...ABILITIES.map(filter),
  );
  const nothing = h("div", { class: "tetrate-nothing", hidden: true });
  const ticked = h("span", { class: "tetrate-pills" });
  const sum = h("strong", { class: "tetrate-strong" });
  const each = h("span", { class: "tetrate-quiet tetrate-number tetrate-each" });
  const compare = button("", () => send("compare", { of: view }), { class: "tetrate-button tetrate-main" });
  const tray = h(
    "div",
    { class: "tetrate-tray", role: "group", "aria-label": "Ticked models", hidden: true },
    sum,
    ticked,
    h(
      "span",
      { class: "tetrate-row" },
      each,
      button("Clear", () => {
        send("clear");
        words.focus({ preventScroll: true });
      }, { class: "tetrate-button tetrate-plain" }),
      compare,
    ),
  );
  const note = h("span", { class: "tetrate-grow", role: "status" });
  const listed = h("span", { class: "tetrate-number" });
  const refresh = iconButton("retry", "Refresh", () => all.busy || send("refresh"), { title: "Ask the router again" });
  const node = h(
    "div",
    { class: "tetrate-picker tetrate-card" },
    h(
      "div",
      { class: "tetrate-top" },
      h("span", { class: "tetrate-find" }, icon("search"), words, count, empty, slash),
      provider,
      filters,
    ),
    nothing,
    box,
    tray,
    h("div", { class: "tetrate-end" }, note, listed, refresh),
  );
  const rows = new Map(); // place: item
  let all = /** @type {any} */ ({ sections: [] });
  let at = -1; // the place that keys have reached
  let tall = 0; // the height of a row when it was looked at last
  let asked = "";
  let typing = 0; // the timer that waits for the next letter
  let searches = 0; // under way
  let answered; // the last thing that was asked about the list
  let turn = Promise.resolve(); // of the key that was pressed last
  let back = -1; // the place that was in sight before the kernel was restarted
  let opened = 0; // the number of the cell that was inserted last

  words.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => find({ words: words.value }), 60);
  });
  words.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(sight() / row()) - 1);
    const steps = {
      ArrowDown: () => at + 1,
      ArrowUp: () => at - 1,
      PageDown: () => at + page,
      PageUp: () => at - page,
    };
    if (event.ctrlKey || event.metaKey) Object.assign(steps, { Home: () => 0, End: () => all.count - 1 });
    if (event.key in steps) {
      event.preventDefault();
      inTurn(() => move(steps[event.key]()));
    } else if (event.key === "Enter") {
      event.preventDefault();
      inTurn(async () => {
        await answered;
        const item = rows.get(at);
        if (item) await choose(item.fields);
      });
    } else if (event.key === "Escape" && words.value) {
      event.preventDefault();
      words.value = "";
      find({ words: "" });
    }
  });
  // In the rows arrows walk from row to row and from button to button; what is typed is searched for.
  node.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), select")) {
      return;
    }
    const own = event.target.closest(".tetrate-option");
    if (event.key === "/" || (event.key.length === 1 && event.key !== " ")) {
      words.focus({ preventScroll: true });
      words.select();
      if (event.key === "/") event.preventDefault();
    } else if (own && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const name = event.target.dataset.act;
      inTurn(async () => {
        move(at + (event.key === "ArrowDown" ? 1 : -1));
        await answered;
        const next = rows.get(at)?.node;
        (next?.querySelector(`[data-act="${name}"]:not([hidden])`) ?? next?.querySelector("[data-act]"))?.focus({
          preventScroll: true,
        });
      });
    } else if (own && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      event.preventDefault();
      const acts = [...own.querySelectorAll("[data-act]:not([hidden])")];
      const step = (event.key === "ArrowRight") === (getComputedStyle(own).direction === "ltr") ? 1 : -1;
      acts[Math.max(0, Math.min(acts.length - 1, acts.indexOf(event.target) + step))].focus({ preventScroll: true });
    }
  });
  list.addEventListener("focusin", (event) => {
    const item = [...rows].find(([, other]) => other.node.contains(event.target));
    if (item && item[0] !== at) {
      at = item[0];
      point();
    }
  });
  box.addEventListener("scroll", look, { passive: true });
  node.addEventListener("pointerleave", () => setTimeout(renew));
  node.addEventListener("focusout", () => setTimeout(renew));
  const resized = new ResizeObserver(() => {
    if (box.clientHeight && tall !== row()) { // rows fold where it is narrow: the same ones stay in sight
      if (tall) box.scrollTop *= row() / tall;
      tall = row();
      place();
    }
    look();
  });
  resized.observe(box);
  const minutes = setInterval(age, 30_000);

  // What was chosen or starred goes to its section only when nobody is here: nothing moves under a pointer.
  function renew() {
    if (all.stale && !node.matches(":hover") && !node.contains(document.activeElement)) send("settle");
  }

  function head([sort, label, short, title, where]) {
    if (!sort) return h("span", { role: "columnheader", class: where }, label);
    const text = short
      ? [
        h("span", { class: "tetrate-long" }, label),
        h("span", { class: "tetrate-short", "aria-hidden": "true" }, short),
      ]
      : [h("span", {}, label)];
    return h(
      "span",
      { role: "columnheader", class: where, "data-sort": sort },
      h(
        "button",
        {
          type: "button",
          class: "tetrate-button tetrate-plain",
          title,
          "aria-label": label,
          onclick: () => order(sort),
        },
        icon("up"),
        ...text,
      ),
    );
  }

  // After a restart: the list that was looked at may come later than this view.
  function backInPlace() {
    if (back < 0 || !all.count) return;
    box.scrollTop = offset(Math.min(back, all.count - 1));
    back = -1;
  }

  // The usual way round, the other one, and back to the sections.
  function order(sort) {
    if (all.sort !== sort) find({ sort, backwards: false });
    else if (!all.backwards) find({ backwards: true });
    else find({ sort: "provider", backwards: false });
  }

  function filter([name, drawn, label]) {
    return h(
      "button",
      {
        type: "button",
        class: "tetrate-button",
        "aria-pressed": "false",
        "data-filter": name,
        onclick: (event) =>
          during(send("filter", { name, on: event.currentTarget.getAttribute("aria-pressed") !== "true" })),
      },
      icon(drawn),
      icon("check"),
      h("span", {}, label),
    );
  }

  async function find(parts) {
    clearTimeout(typing);
    typing = 0;
    await during(send("find", parts));
  }

  async function during(sent) {
    searches++;
    await (answered = sent);
    searches--;
    settle();
  }

  function clear() {
    words.value = "";
    find({ words: "", provider: "", capabilities: [], sort: "provider", backwards: false });
  }

  async function choose(told) {
    if (await send("choose", { model: told.id })) announce(`${told.label} is in use`);
  }

  // Keys mean the list that the words ask for, also where they come faster than its answer.
  function inTurn(act) {
    if (typing) find({ words: words.value });
    turn = turn.then(() => searches && answered).then(act);
  }

  const size = (name, usual) => parseFloat(getComputedStyle(box).getPropertyValue(name)) || usual;
  const row = () => size("--row", 34);
  const sight = () => box.clientHeight - heads.offsetHeight;

  // Where a row begins, below the titles of the sections up to its own.
  function offset(place) {
    return place * row() + size("--title", 28) * all.sections.filter(([, start]) => start <= place).length;
  }

  function placeAt(top) {
    let titles = 0;
    for (const [, start] of all.sections) if (offset(start) < top) titles++;
    return Math.max(0, Math.floor((top - titles * size("--title", 28)) / row()));
  }

  function move(to) {
    at = Math.max(0, Math.min(to, all.count - 1));
    const top = offset(at);
    const first = all.sections.some(([, start]) => start === at) ? size("--title", 28) : 0; // with its title
    if (top - first < box.scrollTop) box.scrollTop = top - first;
    else if (top + row() > box.scrollTop + sight()) box.scrollTop = top + row() - sight();
    look();
    point();
  }

  // Asks for the rows in sight, and some around them.
  function look() {
    if (!all.count || !box.clientHeight) return;
    const first = placeAt(box.scrollTop);
    const shown = Math.ceil(sight() / row());
    const start = Math.max(0, first - shown);
    const end = Math.min(all.count, first + 2 * shown);
    let missing = false;
    for (let place = first; place < Math.min(all.count, first + shown + 1); place++) missing ||= !rows.has(place);
    const wanted = `${start}-${end}`;
    if (!missing || wanted === asked) return;
    asked = wanted;
    answered = send("rows", { of: view, start, end });
  }

  // Of all rows one can be reached with Tab: the one that keys have reached, or the first in sight.
  function point() {
    const here = rows.has(at) ? at : placeAt(box.scrollTop);
    for (const [place, item] of rows) {
      item.node.classList.toggle("tetrate-at", place === at);
      item.reach(place === here);
    }
    const item = rows.get(at);
    if (item) words.setAttribute("aria-activedescendant", item.node.id);
    else words.removeAttribute("aria-activedescendant");
  }

  function place() {
    rowsBox.style.height = `${all.count * row() + all.sections.length * size("--title", 28)}px`;
    for (const [index, title] of [...titles.children].entries()) {
      title.style.top = `${offset(all.sections[index][1]) - size("--title", 28)}px`;
    }
    for (const [number, item] of rows) item.node.style.top = `${offset(number)}px`;
  }

  function fields(changed, told) {
    all = told;
    if ("words" in changed) {
      if (document.activeElement !== words) words.value = told.words;
      for (const item of rows.values()) item.name();
    }
    if ("providers" in changed) {
      provider.replaceChildren(
        h("option", { value: "" }, "All providers"),
        ...told.providers.map((name) => h("option", { value: name }, name)),
      );
    }
    settle();
    refresh.setAttribute("aria-disabled", String(told.busy)); // a disabled button would lose the focus
    refresh.classList.toggle("tetrate-busy", told.busy);
    for (const head of heads.querySelectorAll("[data-sort]")) {
      const on = head.dataset.sort === told.sort;
      if (on) head.setAttribute("aria-sort", told.descends ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    if (["near", "words", "count", "of", "busy"].some((name) => name in changed)) missing(told);
    show(nothing, !told.count);
    show(box, told.count > 0); // before it is scrolled
    if ("sections" in changed || "count" in changed) section();
    told.count === told.of ? say(`${told.of} models`) : say(told.count ? `${told.count} of ${told.of}` : "none");
    show(slash, !told.words);
    show(empty, Boolean(told.words));
    if (["words", "provider", "filters", "sort", "backwards", "count"].some((name) => name in changed)) {
      at = told.words ? 0 : Math.max(0, told.place);
      asked = "";
      box.scrollTop = told.words || !at ? 0 : Math.max(0, offset(at) - sight() / 2);
    } else if ("sections" in changed) {
      at = told.place;
      asked = "";
    }
    backInPlace();
    tick(changed, told);
    age();
    if ("cell" in changed && told.cell[0] === view && told.cell[1] !== opened) insert(...told.cell.slice(1));
    renew();
  }

  function say(text) {
    if (count.textContent === text) return;
    if (count.textContent) announce(text);
    setText(count, text);
  }

  function section() {
    titles.replaceChildren(
      ...all.sections.map(([title, start, size], index) =>
        h(
          "div",
          { role: "row", class: "tetrate-title", "aria-rowindex": start + index + 2 },
          h(
            "span",
            { role: "gridcell", id: id(`title-${index}`), "aria-colspan": "10" },
            title,
            title === "All others" ? h("span", { class: "tetrate-quiet tetrate-number" }, ` ${size}`) : "",
          ),
        )
      ),
    );
    box.setAttribute("aria-rowcount", all.count + all.sections.length + 1);
    place();
  }

  function missing(told) {
    if (told.count) return;
    if (told.busy || !told.of) {
      return nothing.replaceChildren(
        h("p", { class: "tetrate-quiet" }, told.busy ? "Asking the router for its models ..." : "No models yet."),
      );
    }
    const close = told.near.map(([name, label, from]) =>
      h(
        "button",
        {
          type: "button",
          class: "tetrate-button",
          onclick: () => {
            words.value = name;
            find({ words: name });
            words.focus();
          },
        },
        mark(from),
        idNode(label),
      )
    );
    nothing.replaceChildren(
      h(
        "p",
        { class: "tetrate-strong" },
        close.length ? `No model is called “${told.words.slice(0, 80)}”` : "No model fits.",
      ),
      h("p", { class: "tetrate-quiet" }, close.length ? "Close to it:" : "Next: fewer words or filters."),
      h(
        "p",
        { class: "tetrate-choices" },
        ...close,
        button("Clear search", () => {
          clear();
          words.focus();
        }, { class: "tetrate-button tetrate-plain" }),
      ),
    );
  }

  function tick(changed, told) {
    if (!("ticked" in changed || "chosen" in changed || "each" in changed)) return;
    setText(sum, `${told.ticked.length} ticked`);
    if ("ticked" in changed) {
      ticked.replaceChildren(
        ...told.ticked.map(([name, label, from]) =>
          h(
            "span",
            { class: "tetrate-picked" },
            mark(from),
            idNode(label),
            iconButton("close", `Untick ${label}`, () => {
              send("tick", { model: name, on: false });
              compare.focus({ preventScroll: true });
            }),
          )
        ),
      );
    }
    setText(each, told.each);
    setText(
      compare,
      told.ticked.length !== 1
        ? `Compare ${told.ticked.length}`
        : told.chosen && told.chosen !== told.ticked[0][0]
        ? `Compare with ${shortened(told.chosen, 24)}`
        : "Compare",
    );
    show(tray, told.ticked.length > 0);
  }

  function age() {
    const passed = Math.max(0, Math.round((Date.now() / 1000 - all.listed) / 60));
    setText(
      listed,
      all.busy
        ? "Asking ..."
        : !all.listed
        ? ""
        : passed < 1
        ? "Listed just now"
        : passed < 60
        ? `Listed ${passed} min ago`
        : `Listed ${Math.round(passed / 60)} h ago`,
    );
    if (!note.dataset.said) {
      setText(
        note,
        all.count
          ? "$ in and $ out: US dollars per million tokens. A short question: 100 tokens in, 60 out, without reasoning."
          : "",
      );
    }
  }

  async function insert(number, source) {
    opened = number;
    if (await openCell(model, el, all.mark, source)) return;
    await copy(source);
    note.dataset.said = "true";
    setText(note, `Copied: ${source} – paste it into a cell.`);
  }

  // Shows the filters as the kernel has them, but never takes back what a person has changed meanwhile.
  function settle() {
    if (searches) return;
    provider.value = all.provider;
    for (const each of filters.children) {
      each.setAttribute("aria-pressed", String(Boolean(all.capabilities?.[each.dataset.filter])));
    }
  }

  let number = 0;
  function item() {
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
      worded("dot", "Use", () => choose(self()), { class: "tetrate-button tetrate-plain tetrate-use" }),
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
        flash(copied);
      }),
    );
    const line = h(
      "div",
      { class: "tetrate-option", role: "row", id: id(`row-${++number}`) },
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
      at = self().place;
      choose(self());
      words.focus({ preventScroll: true });
      point();
    });
    const made = {
      node: line,
      reach(can) {
        for (const each of line.querySelectorAll("[data-act]")) each.tabIndex = can ? 0 : -1;
      },
      name() {
        modelId(name, self().label, all.words);
      },
      update(changed, told) {
        for (const [where, other] of rows) if (other === made.self() && where !== told.place) rows.delete(where);
        rows.set(told.place, made.self());
        line.style.top = `${offset(told.place)}px`;
        const within = all.sections.findLastIndex(([, start]) => start <= told.place);
        line.setAttribute("aria-rowindex", told.place + within + 3);
        if (within < 0) line.removeAttribute("aria-describedby");
        else line.setAttribute("aria-describedby", id(`title-${within}`));
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
        beside.title = told.chosen || !all.chosen ? "Compare with others" : `Compare with ${all.chosen}`;
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

  function flash(button) {
    button.replaceChildren(icon("check"));
    setTimeout(() => button.replaceChildren(icon("copy")), 1200);
  }

  return {
    node,
    list,
    fields,
    item,
    after() {
      for (const [where, each] of rows) if (!each.node.isConnected) rows.delete(where);
      look();
      point();
    },
    keep: () => ({
      words: all.words,
      provider: all.provider,
      capabilities: all.filters,
      sort: all.sort,
      backwards: all.backwards,
      ticked: all.ticked.map(([name]) => name),
      first: placeAt(box.scrollTop),
    }),
    take({ first, ...kept }) {
      during(
        send("take", kept).then(() => { // not before: a list that comes meanwhile isn't searched yet
          back = first;
          backInPlace();
        }),
      );
    },
    stop() {
      resized.disconnect();
      clearTimeout(typing);
      clearInterval(minutes);
    },
  };
}

export default { render: (context) => panel(context, "Models", picker) };
