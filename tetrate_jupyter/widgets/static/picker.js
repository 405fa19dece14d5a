// The model list: a search box, filters, the table, and a tray of what is ticked.

function picker(context) {
  const { send, announce, view, el, model } = context;
  const words = h("input", {
    type: "search",
    role: "combobox",
    "aria-label": "Search models",
    "aria-expanded": "true",
    "aria-haspopup": "grid",
    "aria-controls": `tetrate-${view}-list`,
    autocomplete: "off",
    spellcheck: "false",
    "data-home": "true",
    placeholder: "Name, images, cheap, 200k, claude-*",
  });
  const table = modelTable(context, { words, choose, order });
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
    table.node,
    tray,
    h("div", { class: "tetrate-end" }, note, listed, refresh),
  );
  let all = /** @type {any} */ ({ sections: [] });
  let typing = 0; // the timer that waits for the next letter
  let searches = 0; // under way
  let answered; // the last thing that was asked about what the list has
  let turn = Promise.resolve(); // of the key that was pressed last
  let opened = 0; // the number of the cell that was inserted last

  words.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => find({ words: words.value }), 60);
  });
  words.addEventListener("keydown", (event) => {
    const page = table.page();
    const steps = {
      ArrowDown: () => table.at() + 1,
      ArrowUp: () => table.at() - 1,
      PageDown: () => table.at() + page,
      PageUp: () => table.at() - page,
    };
    if (event.ctrlKey || event.metaKey) Object.assign(steps, { Home: () => 0, End: () => all.count - 1 });
    if (event.key in steps) {
      event.preventDefault();
      inTurn(() => table.move(steps[event.key]()));
    } else if (event.key === "Enter") {
      event.preventDefault();
      inTurn(async () => {
        await Promise.all([answered, table.answered()]);
        const item = table.chosen();
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
        table.move(table.at() + (event.key === "ArrowDown" ? 1 : -1));
        await Promise.all([answered, table.answered()]);
        const next = table.chosen()?.node;
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
  node.addEventListener("pointerleave", () => setTimeout(renew));
  node.addEventListener("focusout", () => setTimeout(renew));
  const minutes = setInterval(age, 30_000);

  // What was chosen or starred goes to its section only when nobody is here: nothing moves under a pointer.
  function renew() {
    if (all.stale && !node.matches(":hover") && !node.contains(document.activeElement)) send("settle");
  }

  // The usual way round, the other one, and back to the sections.
  function order(sort) {
    if (all.sort !== sort) find({ sort, backwards: false });
    else if (!all.backwards) find({ backwards: true });
    else find({ sort: "provider", backwards: false });
  }

  function filter([name, drawn, label, short]) {
    return h(
      "button",
      {
        type: "button",
        class: "tetrate-button",
        title: label,
        "aria-label": label,
        "aria-pressed": "false",
        "data-filter": name,
        onclick: (event) =>
          during(send("filter", { name, on: event.currentTarget.getAttribute("aria-pressed") !== "true" })),
      },
      icon(drawn),
      icon("check"),
      ...wordOf(label, short),
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

  function fields(changed, told) {
    all = told;
    if ("words" in changed && document.activeElement !== words) words.value = told.words;
    if ("providers" in changed) {
      provider.replaceChildren(
        h("option", { value: "" }, "All providers"),
        ...told.providers.map((name) => h("option", { value: name }, name)),
      );
    }
    settle();
    refresh.setAttribute("aria-disabled", String(told.busy)); // a disabled button would lose the focus
    refresh.classList.toggle("tetrate-busy", told.busy);
    if (["near", "words", "count", "of", "busy"].some((name) => name in changed)) missing(told);
    show(nothing, !told.count);
    told.count === told.of ? say(`${told.of} models`) : say(told.count ? `${told.count} of ${told.of}` : "none");
    show(slash, !told.words);
    show(empty, Boolean(told.words));
    table.fields(changed, told);
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

  return {
    node,
    list: table.list,
    fields,
    item: table.item,
    after: table.after,
    keep: () => ({
      words: all.words,
      provider: all.provider,
      capabilities: all.filters,
      sort: all.sort,
      backwards: all.backwards,
      ticked: all.ticked.map(([name]) => name),
      first: table.first(),
    }),
    take({ first, ...kept }) {
      during(send("take", kept).then(() => table.goBack(first))); // not before: a list that comes meanwhile isn't searched yet
    },
    stop() {
      table.stop();
      clearTimeout(typing);
      clearInterval(minutes);
    },
  };
}

export default { render: (context) => panel(context, "Models", picker) };
