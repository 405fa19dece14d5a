// The table of the model list: heads that sort, titles of sections, and of its rows those in sight.

const HEADS = /** @type {any[]} */ ([ // [sort, label, the same where there is little room, tooltip, class]
  ["name", "Model", "", "Sort by model", "tetrate-who"],
  ["price", "≈ 1,000 short questions", "≈ 1,000", "100 tokens in and 60 out each, without reasoning", "tetrate-asks"],
  ["input price", "$ in", "", "US dollars per million tokens in", "tetrate-in"],
  ["output price", "$ out", "", "US dollars per million tokens out", "tetrate-out"],
  ["context", "Window", "", "Tokens that prompt and answer may have together", "tetrate-window"],
  ["", "Abilities", "", "", "tetrate-can"],
  ["retirement", "Retires", "", "The day the model goes away", "tetrate-ends"],
]);

// A word, and a shorter one for where there is little room; what they are in is named otherwise.
function wordOf(label, short) {
  if (!short) return [h("span", {}, label)];
  return [
    h("span", { class: "tetrate-long" }, label),
    h("span", { class: "tetrate-short", "aria-hidden": "true" }, short),
  ];
}

// `search`: {words, choose, order}, the box that keys are typed into, what a click on a row does, and one on a head.
function modelTable(context, search) {
  const { send, view } = context;
  const { words } = search;
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
  const rows = new Map(); // place: item
  let all = /** @type {any} */ ({ sections: [] });
  let at = -1; // the place that keys have reached
  let tall = 0; // the height of a row when it was looked at last
  let asked = "";
  let answered; // what was asked about the rows last
  let back = -1; // the place that was in sight before the kernel was restarted

  list.addEventListener("focusin", (event) => {
    const item = [...rows].find(([, other]) => other.node.contains(event.target));
    if (item && item[0] !== at) {
      at = item[0];
      point();
    }
  });
  box.addEventListener("scroll", look, { passive: true });
  const resized = new ResizeObserver(() => {
    if (box.clientHeight && tall !== row()) { // rows fold where it is narrow: the same ones stay in sight
      if (tall) box.scrollTop *= row() / tall;
      tall = row();
      place();
    }
    look();
  });
  resized.observe(box);

  function head([sort, label, short, title, where]) {
    if (!sort) return h("span", { role: "columnheader", class: where }, label);
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
          onclick: () => search.order(sort),
        },
        icon("up"),
        ...wordOf(label, short),
      ),
    );
  }

  // After a restart: the list that was looked at may come later than this view.
  function backInPlace() {
    if (back < 0 || !all.count) return;
    box.scrollTop = offset(Math.min(back, all.count - 1));
    back = -1;
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
      for (const item of rows.values()) item.name();
    }
    for (const head of heads.querySelectorAll("[data-sort]")) {
      const on = head.dataset.sort === told.sort;
      if (on) head.setAttribute("aria-sort", told.descends ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    box.dataset.by = told.sort; // what is sorted by is shown, however little room there is
    show(box, told.count > 0); // before it is scrolled
    if ("sections" in changed || "count" in changed) section();
    if (["words", "provider", "filters", "sort", "backwards", "count"].some((name) => name in changed)) {
      at = told.words ? 0 : Math.max(0, told.place);
      asked = "";
      box.scrollTop = told.words || !at ? 0 : Math.max(0, offset(at) - sight() / 2);
    } else if ("sections" in changed) {
      at = told.place;
      asked = "";
    }
    backInPlace();
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

  // Takes note of where a row is now.
  function placed(item, where) {
    for (const [before, other] of rows) if (other === item && before !== where) rows.delete(before);
    rows.set(where, item);
    const line = item.node;
    line.style.top = `${offset(where)}px`;
    const within = all.sections.findLastIndex(([, start]) => start <= where);
    line.setAttribute("aria-rowindex", where + within + 3);
    if (within < 0) line.removeAttribute("aria-describedby");
    else line.setAttribute("aria-describedby", id(`title-${within}`));
  }

  function reached(where) {
    at = where;
    words.focus({ preventScroll: true });
    point();
  }

  return {
    node: box,
    list,
    fields,
    move,
    at: () => at,
    chosen: () => rows.get(at),
    page: () => Math.max(1, Math.floor(sight() / row()) - 1),
    answered: () => answered,
    item: () => modelRow(context, { id, all: () => all, choose: search.choose, placed, reached }),
    after() {
      for (const [where, each] of rows) if (!each.node.isConnected) rows.delete(where);
      look();
      point();
    },
    first: () => placeAt(box.scrollTop),
    goBack(first) {
      back = first;
      backInPlace();
    },
    stop: () => resized.disconnect(),
  };
}
