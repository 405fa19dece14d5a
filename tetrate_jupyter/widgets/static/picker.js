// The picker: a search box with a list of rows under it, of which only those in sight are in the page.

function picker({ send, announce, view }) {
  const id = (part) => `tetrate-${view}-${part}`;
  const list = h("div", { class: "tetrate-rows", role: "presentation" });
  const none = h("p", { class: "tetrate-quiet tetrate-none", hidden: true });
  const box = h("div", { class: "tetrate-box", role: "listbox", id: id("list"), "aria-label": "Models" }, list);
  const words = h("input", {
    type: "search", role: "combobox", "aria-label": "Search models", "aria-expanded": "true", "aria-controls": id("list"),
    "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", "data-home": "true",
    placeholder: "Search: name, provider, vision, cheap, 200k, claude-*",
  });
  const provider = h("select", { "aria-label": "Provider", onchange: () => find({ provider: provider.value }) });
  const sort = h("select", { onchange: () => find({ sort: sort.value }) });
  const filters = h("span", { class: "tetrate-filters", role: "group", "aria-label": "Capabilities" });
  const count = h("span", { class: "tetrate-quiet tetrate-number" });
  const prices = h("span", { class: "tetrate-quiet" });
  const refresh = button("Refresh", () => all.busy || send("refresh"), { class: "tetrate-button tetrate-plain", title: "Ask the router again" });
  const current = h("span");
  const node = h("div", { class: "tetrate-picker" },
    h("div", { class: "tetrate-row" }, words, provider, h("label", {}, h("span", {}, "Sort by"), sort)),
    h("div", { class: "tetrate-row" }, filters, h("span", {}, count, prices), refresh),
    none, box, h("p", { class: "tetrate-quiet tetrate-chosen" }, "Model: ", current));
  const rows = new Map(); // place: item
  let all = {};
  let at = -1; // the place that arrow keys have reached
  let tall = 0; // the height of a row when it was looked at last
  let asked = "";
  let typing = 0; // the timer that waits for the next letter
  let searches = 0; // under way
  let answered; // the last thing that was asked about the list
  let turn = Promise.resolve(); // of the key that was pressed last

  words.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => find({ words: words.value }), 60);
  });
  words.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(box.clientHeight / height()) - 1);
    const steps = { ArrowDown: () => at + 1, ArrowUp: () => at - 1, PageDown: () => at + page, PageUp: () => at - page };
    if (event.ctrlKey || event.metaKey) Object.assign(steps, { Home: () => 0, End: () => all.count - 1 });
    if (event.key in steps) {
      event.preventDefault();
      inTurn(() => move(steps[event.key]()));
    } else if (event.key === "Enter") {
      event.preventDefault();
      inTurn(async () => {
        await answered;
        const item = rows.get(at);
        if (item) await send("choose", { model: item.fields.id });
      });
    } else if (event.key === "Escape" && words.value) {
      event.preventDefault();
      words.value = "";
      find({ words: "" });
    }
  });
  box.addEventListener("scroll", look, { passive: true });
  const resized = new ResizeObserver(() => {
    if (box.clientHeight && tall !== height()) { // rows fold where it is narrow: the same ones stay in sight
      if (tall) box.scrollTop *= height() / tall;
      tall = height();
    }
    look();
  });
  resized.observe(box);

  async function find(parts) {
    clearTimeout(typing);
    typing = 0;
    searches++;
    await (answered = send("find", parts));
    searches--;
    settle();
  }

  // Keys mean the list that the words ask for, also where they come faster than its answer.
  function inTurn(act) {
    if (typing) find({ words: words.value });
    turn = turn.then(() => searches && answered).then(act);
  }

  function height() {
    return parseFloat(getComputedStyle(box).getPropertyValue("--row")) || 48;
  }

  function move(place) {
    at = Math.max(0, Math.min(place, all.count - 1));
    const top = at * height();
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + height() > box.scrollTop + box.clientHeight) box.scrollTop = top + height() - box.clientHeight;
    look();
    mark();
  }

  // Asks for the rows in sight, and some around them.
  function look() {
    if (!all.count || !box.clientHeight) return;
    const first = Math.floor(box.scrollTop / height());
    const shown = Math.ceil(box.clientHeight / height());
    const start = Math.max(0, first - shown);
    const end = Math.min(all.count, first + 2 * shown);
    let missing = false;
    for (let place = first; place < Math.min(all.count, first + shown + 1); place++) missing ||= !rows.has(place);
    const wanted = `${start}-${end}`;
    if (!missing || wanted === asked) return;
    asked = wanted;
    answered = send("rows", { of: view, start, end });
  }

  function mark() {
    for (const [place, item] of rows) item.node.classList.toggle("tetrate-at", place === at);
    const item = rows.get(at);
    if (item) words.setAttribute("aria-activedescendant", item.node.id);
    else words.removeAttribute("aria-activedescendant");
  }

  function fields(changed, told) {
    all = told;
    if ("words" in changed && document.activeElement !== words) words.value = told.words;
    if ("capabilities" in changed && !filters.childElementCount) offer(Object.keys(told.capabilities));
    if ("providers" in changed) {
      provider.replaceChildren(h("option", { value: "" }, "All providers"), ...told.providers.map((each) => h("option", { value: each }, each)));
    }
    if ("sorts" in changed) sort.replaceChildren(...told.sorts.map((each) => h("option", { value: each }, each)));
    settle();
    refresh.setAttribute("aria-disabled", String(told.busy)); // a disabled button would lose the focus
    setText(refresh, told.busy ? "Asking ..." : "Refresh");
    setText(current, told.chosen || "none yet; the first question chooses one");
    current.classList.toggle("tetrate-current", Boolean(told.chosen));
    const sum = told.count === told.of ? `${told.of} models` : `${told.count} of ${told.of} models`;
    setText(prices, told.count ? " · prices in US dollars per 1M tokens" : "");
    if (count.textContent !== sum) {
      if (count.textContent) announce(sum);
      setText(count, sum);
    }
    if (["words", "provider", "capabilities", "sort", "count"].some((name) => name in changed)) {
      list.style.setProperty("--count", told.count);
      at = told.words ? 0 : told.place;
      asked = "";
      box.scrollTop = told.words || at < 0 ? 0 : Math.max(0, at * height() - box.clientHeight / 2);
    }
    setText(none, told.busy ? "Asking the router for its models ..." : told.of ? "No model fits. Next: fewer words or filters." : "No models yet.");
    show(none, !told.count);
    show(box, told.count > 0);
  }

  function offer(names) {
    for (const name of names) {
      const check = h("input", { type: "checkbox", name, onchange: () => find({
        capabilities: [...filters.querySelectorAll(":checked")].map((each) => each.name) }) });
      filters.append(h("label", {}, check, h("span", {}, name)));
    }
  }

  // Shows the filters as the kernel has them, but never takes back what a person has changed meanwhile.
  function settle() {
    if (searches) return;
    provider.value = all.provider;
    sort.value = all.sort;
    for (const check of filters.querySelectorAll("input")) check.checked = all.capabilities[check.name];
  }

  let number = 0;
  function item() {
    const name = h("bdi", { dir: "ltr" });
    const about = h("span", { class: "tetrate-quiet tetrate-about", dir: "auto" });
    const cost = h("span", { class: "tetrate-number tetrate-cost" });
    const room = h("span", { class: "tetrate-number tetrate-room" });
    const can = h("span", { class: "tetrate-quiet tetrate-can" });
    const marks = h("span", { class: "tetrate-badges" });
    const row = h("div", { class: "tetrate-option", role: "option", id: id(`row-${++number}`) },
      h("span", { class: "tetrate-who" }, h("span", { class: "tetrate-id", translate: "no" }, name), about), cost, room, h("span", { class: "tetrate-more" }, can, marks));
    row.addEventListener("click", () => {
      at = made.self().fields.place;
      send("choose", { model: made.self().fields.id });
      words.focus({ preventScroll: true });
      mark();
    });
    const made = {
      node: row,
      update(changed, told) {
        for (const [place, other] of rows) if (other === made.self() && place !== told.place) rows.delete(place);
        rows.set(told.place, made.self());
        row.style.setProperty("--place", told.place);
        row.setAttribute("aria-posinset", told.place + 1);
        row.setAttribute("aria-selected", String(told.chosen));
        row.title = [told.id, told.name, told.provider, told.description, told.price, told.context, ...told.marks].filter(Boolean).join("\n");
        setText(name, told.label);
        setText(about, [told.name, told.provider].filter(Boolean).join(" · "));
        setText(cost, told.price);
        setText(room, told.context);
        setText(can, told.can);
        if ("marks" in changed) marks.replaceChildren(...told.marks.map((each) => h("span", { class: "tetrate-badge" }, each)));
      },
    };
    return made;
  }

  return {
    node,
    list,
    fields,
    item,
    after() {
      for (const [place, each] of rows) {
        if (each.node.isConnected) each.node.setAttribute("aria-setsize", all.count); // changes where the row doesn't
        else rows.delete(place);
      }
      look();
      mark();
    },
    stop() { resized.disconnect(); clearTimeout(typing); },
  };
}

export default { render: (context) => panel(context, "Models", picker) };
