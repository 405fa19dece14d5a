// What the list of models and the small one of other panels show alike: ids, abilities, prices.

const ABILITIES = /** @type {any[]} */ ([ // [name, icon, label, the same where there is little room]
  ["images", "image", "Images"],
  ["tools", "tool", "Tools"],
  ["reasoning", "think", "Reasoning"],
  ["structured output", "braces", "Structured output", "JSON"],
]);

// A text with what was searched for lit up in it.
function lit(text, words) {
  const low = text.toLowerCase();
  if (low.length !== text.length) return [text]; // then places in one aren't places in the other
  const found = [];
  for (const word of words.toLowerCase().split(/[\s,]+/)) {
    for (let at = word ? low.indexOf(word) : -1; at >= 0; at = low.indexOf(word, at + word.length)) {
      found.push([at, at + word.length]);
    }
  }
  const parts = [];
  let end = 0;
  for (const [from, to] of found.sort((one, other) => one[0] - other[0])) {
    if (from < end) continue;
    parts.push(text.slice(end, from), h("mark", {}, text.slice(from, to)));
    end = to;
  }
  return [...parts, text.slice(end)].filter((part) => part !== "");
}

// An id: its end, which tells models apart, is never cut for what goes before it.
function modelId(node, label, words = "") {
  const cut = label.lastIndexOf("/") + 1;
  node.replaceChildren(
    cut ? h("span", { class: "tetrate-before", dir: "ltr" }, ...lit(label.slice(0, cut), words)) : "",
    h("b", { dir: "ltr" }, ...lit(label.slice(cut), words)),
  );
}

function idNode(label, words) {
  const node = h("span", { class: "tetrate-id", translate: "no" });
  modelId(node, label, words);
  return node;
}

// One small mark for each ability; what isn't there is a dot, what isn't known a question mark.
function abilities(can) {
  return h(
    "span",
    { class: "tetrate-abilities" },
    ...ABILITIES.map(([, drawn, label], place) =>
      can[place]
        ? h("span", { role: "img", "aria-label": label, title: label }, icon(drawn))
        : can[place] === false
        ? h("span", { class: "tetrate-quiet", title: `${label}: no` }, "·")
        : h("span", { class: "tetrate-quiet", title: `${label}: unknown` }, "?")
    ),
  );
}

// A price with as much room behind its point as any has: figures of a column stand below each other by their places.
function priced(text) {
  if (!/^[$<>]/.test(text)) {
    return [
      text === "unknown"
        ? h(
          "span",
          { class: "tetrate-quiet", title: "unknown" },
          h("span", { class: "tetrate-hidden" }, "unknown"),
          "–",
        )
        : text,
    ];
  }
  const places = (text.split(".")[1] ?? "").length;
  return [text, places < 3 ? h("i", { class: "tetrate-pad", "aria-hidden": "true" }, "0".repeat(3 - places)) : ""];
}

// A day of the list, as short as it can be.
function day(iso) {
  const at = new Date(`${iso}T00:00:00Z`);
  const far = at.getUTCFullYear() !== new Date().getUTCFullYear();
  return at.toLocaleDateString(
    "en-GB",
    far ? { month: "short", year: "numeric", timeZone: "UTC" } : { day: "numeric", month: "short", timeZone: "UTC" },
  );
}

// What a model is, as a tooltip.
function aboutModel(told) {
  return [
    told.id,
    [told.name, told.provider].filter(Boolean).join(" · "),
    told.description ?? "",
    told.falls.length ? `Falls back to ${told.falls.join(", ")}` : "",
    told.ends[0] ? `${told.ends[2] ? "Retired" : "Retires"} ${told.ends[0]}` : "",
    ...told.marks,
  ].filter(Boolean).join("\n");
}

let modelMenus = 0;

// The small list: a button that opens it. `several`: ticks in it, and `done(ids)` when they are meant; else `done([id])` at once.
// `picked()` gives the ids that are ticked, or in use. `from`: a button that opens it, whose words are its own; else it has one that
// says what is in use. The panel tells its `fields` of model_menu.py by `fields(changed, told)`.
function modelMenu(
  { send, view, model, el, announce, told: all },
  { label, several = false, most = () => Infinity, picked, done, from = null },
) {
  const own = `tetrate-menu-${++modelMenus}-${view}`;
  const list = h("div", {
    class: "tetrate-choices",
    role: "listbox",
    id: own,
    "aria-label": "Models",
    "aria-multiselectable": several ? "true" : null,
  });
  const find = h("input", {
    type: "search",
    role: "combobox",
    "aria-label": "Search models",
    "aria-expanded": "true",
    "aria-controls": own,
    "aria-autocomplete": "list",
    autocomplete: "off",
    spellcheck: "false",
    "data-first": "true",
  });
  const means = h("span", { class: "tetrate-means" });
  const count = h("span", { class: "tetrate-quiet tetrate-number" });
  const peek = h("div", { class: "tetrate-peek" });
  const ticks = h("span", { class: "tetrate-quiet tetrate-grow" });
  const every = button("", () => {
    pop.close();
    openCell(model, el, all.mark, "%tetrate_models");
  }, { class: "tetrate-button tetrate-plain tetrate-every" });
  const keys = h(
    "span",
    { class: "tetrate-quiet", "aria-hidden": "true" },
    h("kbd", {}, "↑"),
    h("kbd", {}, "↓"),
    " ",
    h("kbd", {}, "Enter"),
    from ? " ask" : " use",
  );
  const foot = several
    ? [
      ticks,
      button("Clear", () => {
        chosen = [];
        draw();
        find.focus();
      }, { class: "tetrate-button tetrate-plain" }),
      button("Done", async () => {
        await entered;
        pop.close();
        done(chosen);
      }, { class: "tetrate-button tetrate-main" }),
    ]
    : [every, h("span", { class: "tetrate-grow" }), keys];
  const logo = h("span", { class: "tetrate-logo" });
  const name = h("span", { class: "tetrate-id", translate: "no" });
  const by = h("span", { class: "tetrate-quiet" }); // who has chosen it, where that was nobody
  const opener = from
    ? from
    : several
    ? worded("plus", label, () => {}, { class: "tetrate-button" })
    : h("button", { type: "button", class: "tetrate-button tetrate-opener" }, logo, name, by, icon("down"));
  const pop = popover(opener, begin, { class: "tetrate-pop tetrate-models", role: "dialog", "aria-label": label });
  opener.setAttribute("aria-haspopup", "dialog");
  let chosen = []; // the ids that are ticked
  let menu = /** @type {any} */ ({ rows: [], titles: [] });
  let at = 0;
  let rows = 0; // that were asked for
  let typing = 0;
  let answered = Promise.resolve();
  let entered = Promise.resolve(); // what Enter means, once the list is there that the words ask for
  let isEarly = false; // whether Enter was pressed before the router had told any model

  function begin() {
    find.value = "";
    chosen = picked();
    at = -1;
    menu = { rows: [], titles: [] }; // what was looked for last time isn't what there is
    draw();
    ask(40);
    const head = h(
      "div",
      { class: "tetrate-menuhead" },
      means,
      count,
      h("span", { class: "tetrate-grow" }),
      h("span", { title: "100 tokens in and 60 out each, without reasoning" }, "≈ 1,000 short questions"),
    );
    return [
      h("div", { class: "tetrate-search" }, icon("search"), find),
      head,
      list,
      peek,
      h("div", { class: "tetrate-foot" }, ...foot),
    ];
  }

  function ask(wanted) {
    clearTimeout(typing);
    typing = 0;
    rows = wanted;
    return (answered = send("menu", { of: own, words: find.value, rows, ticked: several ? chosen : [] }));
  }

  pop.node.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    isEarly = false;
    clearTimeout(typing);
    typing = 0;
    send("menu", { of: own, opened: false });
  });
  find.addEventListener("input", () => {
    isEarly = false;
    clearTimeout(typing);
    typing = setTimeout(() => {
      at = 0;
      ask(40);
    }, 60);
  });
  find.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (event.key in steps) {
      event.preventDefault();
      move(at + steps[event.key]);
    } else if (event.key === "Escape") { // a search box would only empty itself
      event.preventDefault();
      pop.close();
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (typing) {
        at = 0;
        ask(40);
      }
      entered = answered.then(() => {
        isEarly = !all.reach;
        if (menu.rows[at]) choose(menu.rows[at]);
      });
    }
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the search
  list.addEventListener("scroll", () => {
    if (
      menu.rows.length < menu.count && rows === Math.max(40, menu.rows.length) &&
      list.scrollTop + 2 * list.clientHeight > list.scrollHeight
    ) ask(rows + 60);
  }, { passive: true });

  function move(to) {
    at = Math.max(0, Math.min(to, menu.rows.length - 1));
    point();
    list.querySelector(".tetrate-at")?.scrollIntoView({ block: "nearest" });
  }

  function choose(told) {
    if (!several) {
      pop.close();
      done([told.id]);
      announce(from ? `Asking ${told.label}` : `${told.label} is in use`);
      return;
    }
    if (chosen.includes(told.id)) chosen = chosen.filter((each) => each !== told.id);
    else if (chosen.length < most()) chosen = [...chosen, told.id];
    find.select(); // what is typed next is another search
    draw();
  }

  function point() {
    const options = [...list.querySelectorAll("[role=option]")];
    for (const [place, each] of options.entries()) each.classList.toggle("tetrate-at", place === at);
    if (options[at]) find.setAttribute("aria-activedescendant", options[at].id);
    else find.removeAttribute("aria-activedescendant");
    const told = menu.rows[at];
    const fact = (text, what) => h("span", {}, h("b", {}, text), ` ${what}`);
    peek.replaceChildren(
      ...(told
        ? [
          h(
            "div",
            {},
            h("b", { class: "tetrate-strong tetrate-grow tetrate-clip" }, told.name || told.label),
            abilities(told.can),
          ),
          h(
            "div",
            { class: "tetrate-number" },
            fact(told.input, "in"),
            fact(told.output, "out"),
            fact(told.window, "window"),
            told.ends[1]
              ? h("span", { class: "tetrate-soon" }, `${told.ends[2] ? "retired" : "retires"} ${day(told.ends[0])}`)
              : "",
          ),
        ]
        : []),
    );
  }

  function option(told, place) {
    const on = chosen.includes(told.id);
    return h(
      "div",
      {
        role: "option",
        id: `${own}-${place}`,
        class: "tetrate-choice",
        "aria-selected": String(on),
        title: aboutModel(told),
        onclick: () => {
          at = place;
          choose(told);
        },
      },
      several ? h("span", { class: "tetrate-check", "aria-hidden": "true" }, on ? icon("check") : "") : "",
      mark(told.provider),
      idNode(told.label, find.value),
      h("span", { class: "tetrate-grow" }),
      on && !several
        ? h("span", { class: "tetrate-pill tetrate-on" }, ...(from ? ["This answer"] : [icon("dot"), IN_USE]))
        : "",
      told.ends[1] ? h("span", { class: "tetrate-soon", title: `Retires ${told.ends[0]}` }, icon("clock")) : "",
      h("span", { class: `tetrate-number ${told.asks === "unknown" ? "tetrate-quiet" : ""}` }, told.asks),
    );
  }

  function draw() {
    const starts = new Map(menu.titles.map(([title, start]) => [start, title]));
    list.replaceChildren(...menu.rows.flatMap((told, place) => [
      ...(starts.has(place) ? [h("div", { class: "tetrate-group", role: "presentation" }, starts.get(place))] : []),
      option(told, place),
    ]));
    means.replaceChildren(...(menu.ticked ?? []).map((each) => chip(each, "on")));
    setText(
      count,
      menu.count === undefined
        ? ""
        : !menu.count
        ? (all.reach ? "No model fits." : "No models yet.")
        : find.value
        ? `${menu.count} of ${all.reach}`
        : "",
    );
    setText(ticks, `${chosen.length} ticked`);
    point();
  }

  return {
    node: h("span", { class: "tetrate-menubox" }, from ? "" : opener, pop.node), // a button of somebody else's stays where it is
    opener,
    fields(changed, told) {
      find.placeholder = `Search ${told.reach} models`;
      setText(every, `All ${told.reach} models`);
      if ("using" in changed && !several && !from) {
        logo.replaceChildren(told.using ? mark(told.using[2]) : "");
        if (told.using) modelId(name, told.using[1]);
        else name.replaceChildren("Choose a model");
        const unchosen = told.using?.[3] ? " (default)" : "";
        setText(by, unchosen.trim());
        opener.setAttribute("aria-label", told.using ? `${label}: ${told.using[1]}${unchosen}` : "Choose a model");
        opener.title = told.using ? told.using[0] : "";
      }
      if (!("menu" in changed) || told.menu?.of !== own) return;
      const same = told.menu.words === menu.words;
      menu = told.menu;
      const top = list.scrollTop;
      if (at < 0) at = Math.max(0, menu.rows.findIndex((each) => chosen.includes(each.id)));
      draw();
      list.scrollTop = same ? top : 0;
      if (isEarly && menu.rows[at]) {
        isEarly = false;
        choose(menu.rows[at]);
      }
    },
  };
}
