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
  const provider = h("select", { "aria-label": "Provider", onchange: () => send("find", { provider: provider.value }) });
  const sort = h("select", { onchange: () => send("find", { sort: sort.value }) });
  const filters = h("span", { class: "tetrate-filters", role: "group", "aria-label": "Capabilities" });
  const count = h("span", { class: "tetrate-quiet tetrate-number" });
  const prices = h("span", { class: "tetrate-quiet" });
  const refresh = button("Refresh", () => send("refresh"), { class: "tetrate-button tetrate-plain", title: "Ask the router again" });
  const current = h("span", { class: "tetrate-current" });
  const node = h("div", { class: "tetrate-picker" },
    h("div", { class: "tetrate-row" }, words, provider, h("label", {}, h("span", {}, "Sort by"), sort)),
    h("div", { class: "tetrate-row" }, filters, h("span", {}, count, prices), refresh),
    none, box, h("p", { class: "tetrate-quiet tetrate-chosen" }, "Model: ", current));
  const rows = new Map(); // place: item
  let all = {};
  let at = -1; // the place that arrow keys have reached
  let asked = "";
  let typing;

  words.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => send("find", { words: words.value }), 60);
  });
  words.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(box.clientHeight / height()) - 1);
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page };
    if (event.ctrlKey) Object.assign(steps, { Home: 0, End: all.count - 1 });
    if (event.key in steps) {
      event.preventDefault();
      move(steps[event.key]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const item = rows.get(at);
      if (item) send("choose", { model: item.fields.id });
    } else if (event.key === "Escape" && words.value) {
      event.preventDefault();
      words.value = "";
      send("find", { words: "" });
    }
  });
  box.addEventListener("scroll", look, { passive: true });
  const resized = new ResizeObserver(look);
  resized.observe(box);

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
    send("rows", { of: view, start, end });
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
    if ("providers" in changed || "provider" in changed) {
      provider.replaceChildren(h("option", { value: "" }, "All providers"), ...told.providers.map((each) => h("option", { value: each }, each)));
      provider.value = told.provider;
    }
    if ("sorts" in changed) sort.replaceChildren(...told.sorts.map((each) => h("option", { value: each }, each)));
    sort.value = told.sort;
    if ("capabilities" in changed) tick(told.capabilities);
    refresh.disabled = told.busy;
    setText(current, told.chosen || "chosen at the first question");
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

  function tick(wanted) {
    if (!filters.childElementCount) {
      for (const name of Object.keys(wanted)) {
        const check = h("input", { type: "checkbox", name, onchange: () => send("find", {
          capabilities: [...filters.querySelectorAll(":checked")].map((each) => each.name) }) });
        filters.append(h("label", {}, check, h("span", {}, name)));
      }
    }
    for (const check of filters.querySelectorAll("input")) check.checked = wanted[check.name];
  }

  let number = 0;
  function item() {
    const name = h("span", { class: "tetrate-id", dir: "ltr", translate: "no" });
    const about = h("span", { class: "tetrate-quiet tetrate-about", dir: "auto" });
    const cost = h("span", { class: "tetrate-number tetrate-cost" });
    const room = h("span", { class: "tetrate-number tetrate-room" });
    const can = h("span", { class: "tetrate-quiet tetrate-can" });
    const marks = h("span", { class: "tetrate-badges" });
    const row = h("div", { class: "tetrate-option", role: "option", id: id(`row-${++number}`) },
      h("span", { class: "tetrate-who" }, name, about), cost, room, h("span", { class: "tetrate-more" }, can, marks));
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
        row.setAttribute("aria-setsize", all.count);
        row.setAttribute("aria-posinset", told.place + 1);
        row.setAttribute("aria-selected", String(told.chosen));
        row.title = [told.id, told.name, told.provider, told.description].filter(Boolean).join("\n");
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
      for (const [place, each] of rows) if (!each.node.isConnected) rows.delete(place);
      look();
      mark();
    },
    stop() { resized.disconnect(); clearTimeout(typing); },
  };
}

export default { render: (context) => panel(context, "Models", picker) };
