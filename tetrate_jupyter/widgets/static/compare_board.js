// The leaderboard: who waits and who writes on one clock, and in figures what came of it.

const FIGURES = [["Time", 1], ["Speed", -1], ["Tokens", 1], ["Cost", 1], ["Length", -1], ["Vote", -1]]; // and which end comes first
const OF_SEVERAL = {
  Time: "Median time",
  Speed: "Median speed",
  Tokens: "Median tokens",
  Cost: "Total cost",
  Length: "Median length",
};
const BADGED = { fastest: [0, "on"], cheapest: [3, "good"] }; // the figure that a badge stands beside, and its kind
const TIMES = "Waiting and writing"; // what the bars show
const SHARES = "Times best, and likely range"; // what they show where there are votes over prompts
const LATE = ["partly", "stopped", "failed", "skipped"]; // last, however it is sorted

const LEFT_OUT = 5; // steps by which the table gets narrower: length, speed, bars, tokens, then room around what is left

// Leave out what is missed least as long as the table is wider than its place: no figure is out of sight.
function fitting(place, table) {
  let [step, width] = [0, 0];
  const set = (to) => {
    step = to;
    for (let each = 1; each <= LEFT_OUT; each++) place.classList.toggle(`tetrate-left-${each}`, each <= step);
  };
  const fit = () => {
    if (place.clientWidth !== width) set(0);
    width = place.clientWidth;
    while (step < LEFT_OUT && place.scrollWidth > place.clientWidth) set(step + 1);
  };
  const sizes = new ResizeObserver(fit);
  sizes.observe(place);
  sizes.observe(table);
  return {
    again() { // what there is to show is another, and may be narrower
      width = 0;
      fit();
    },
    stop: () => sizes.disconnect(),
  };
}

// How often a column was best, and the shares between which that likely lies.
function winBar() {
  const won = h("i", { class: "tetrate-share" });
  const likely = h("i", { class: "tetrate-likely" });
  const node = h("div", { class: "tetrate-wins", role: "img", hidden: true }, won, likely);
  return {
    node,
    set(wins, said) {
      show(node, Boolean(wins));
      if (!wins) return;
      const [count, of, least, most] = wins;
      won.style.width = `${(100 * count) / of}%`;
      Object.assign(likely.style, { insetInlineStart: `${100 * least}%`, width: `${100 * (most - least)}%` });
      node.title = said;
      node.setAttribute("aria-label", said);
    },
  };
}

function board({ send, select, announce }) {
  const rows = new Map();
  let told = {};
  let order = []; // ids, as they are shown
  let sorted = null; // [figure, direction]
  let zero = 0; // when the comparison began, on the page's clock in seconds
  let timer = 0;
  const titled = (name) => (told.prompts * told.repeats > 1 && OF_SEVERAL[name]) || name;
  const heads = FIGURES.map(([name, first], figure) => {
    const sort = button(name, () => sortBy(figure, first), {
      class: "tetrate-button tetrate-plain",
      "data-offline": "true",
    });
    return h("th", { scope: "col", class: `tetrate-figure tetrate-figure-${figure}` }, sort);
  });
  const scale = h("span", {}, TIMES);
  const body = h("tbody");
  const table = h(
    "table",
    { class: "tetrate-board", "aria-label": "Leaderboard" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "Model"),
        h("th", { scope: "col", class: "tetrate-bars" }, scale),
        ...heads,
      ),
    ),
    body,
  );
  const node = h("div", { class: "tetrate-boards" }, table);
  const room = fitting(node, table);

  function row(id) {
    const letter = h("span", { class: "tetrate-mark tetrate-letter", hidden: true });
    const of = h("span", {});
    const name = h("span", { class: "tetrate-id", translate: "no" });
    const goes = h(
      "button",
      {
        type: "button",
        class: "tetrate-button tetrate-plain tetrate-goes",
        "data-offline": "true",
        onclick: () => select(id),
      },
      letter,
      of,
      name,
    );
    const bar = timeBar();
    const won = winBar();
    const figures = FIGURES.map((_, figure) =>
      h("td", { class: `tetrate-number tetrate-figure tetrate-figure-${figure}` })
    );
    const said = h("span", { class: "tetrate-clip tetrate-grow" });
    const again = worded("retry", "Retry", () => {
      if (!wait.left()) send("retry", { key: id, whole: true });
    }, { class: "tetrate-button" });
    const wait = countdown(again, "Retry", () => announce(`You can retry ${rows.get(id)?.all.label ?? ""} now.`));
    const note = h(
      "td",
      { colspan: String(FIGURES.length + 1), hidden: true },
      h("div", { class: "tetrate-note" }, icon("warn"), said, again),
    );
    const bars = h("td", { class: "tetrate-bars" }, bar.node, won.node);
    const tr = h(
      "tr",
      {
        onclick: (event) => {
          if (!event.target.closest("button")) select(id);
        },
      },
      h("th", { scope: "row" }, goes),
      bars,
      ...figures,
      note,
    );
    return { tr, letter, of, name, goes, bar, won, bars, figures, said, again, wait, note, all: {} };
  }

  function draw(each, all) {
    const changed = each.all !== all;
    each.all = all;
    const letter = told.letters[each.id] ?? "";
    show(each.letter, Boolean(letter));
    setText(each.letter, letter);
    if (!changed) return;
    modelId(each.name, all.label);
    each.goes.title = all.label;
    each.goes.setAttribute("aria-label", `${all.label}: show the answer`);
    each.of.replaceChildren(mark(all.provider || all.label));
    const failed = all.state === "failed" || all.state === "skipped";
    for (const cell of [each.bars, ...each.figures]) cell.hidden = failed;
    show(each.note, failed);
    setText(each.said, all.said);
    each.said.title = all.said;
    each.again.setAttribute("aria-label", `Retry ${all.label}`);
    all.figures.forEach((text, figure) => fill(each, figure, text));
    show(each.bar.node, !all.wins);
    each.won.set(all.wins, all.voted);
    const vote = each.figures[5];
    vote.title = all.voted;
    vote.replaceChildren(
      h("span", { "aria-hidden": "true" }, all.vote ? `${all.vote}${all.early ? " early" : ""}` : "–"),
      h("span", { class: "tetrate-hidden" }, all.voted),
    );
  }

  function fill(each, figure, text) {
    const { all } = each;
    const badge = all.badges.find((name) => BADGED[name]?.[0] === figure);
    const state = figure === 0 && all.state !== "done"
      ? chip(all.said || all.state, all.state === "running" ? "on" : all.state === "waiting" ? "" : "warn")
      : null;
    each.figures[figure].replaceChildren(
      ...[badge ? chip(badge, BADGED[badge][1]) : state, h("span", {}, text || "–")].filter(Boolean),
    );
  }

  // Bars and times of what runs go on between two messages.
  function tick() {
    if (node.closest(".tetrate-lost")) timer = clearInterval(timer) ?? 0; // nothing goes on any more
    const now = performance.now() / 1000 - zero;
    const end = Math.max(
      0.001,
      ...order.map((id) => {
        const { bar: [start, , end], state } = rows.get(id).all;
        return end != null ? start + end : state === "running" && told.running ? now : 0;
      }),
    );
    for (const id of order) {
      const each = rows.get(id);
      const [start, first, total] = each.all.bar;
      const live = start != null && total == null;
      if (start == null) {
        each.bar.set();
        continue;
      }
      const until = live ? Math.max(0, now - start) : total;
      const waited = first == null ? until : Math.min(first, until);
      each.bar.set([start, waited, until - waited].map((part) => Math.min(100, (100 * part) / end)), live);
      if (live) each.figures[0].lastChild.textContent = `${until.toFixed(1)} s`;
      else {each.bar.node.setAttribute(
          "aria-label",
          `waiting ${waited.toFixed(2)} s, writing ${(until - waited).toFixed(2)} s`,
        );}
    }
  }

  function value({ all }, figure) {
    return figure === 5 ? all.rank : all.order[figure];
  }

  function arrange() {
    const late = (id) => Math.max(0, LATE.indexOf(rows.get(id).all.state) + 1);
    order.sort((a, b) => {
      if (late(a) !== late(b)) return late(a) - late(b);
      if (!sorted) return told.columns.findIndex(([id]) => id === a) - told.columns.findIndex(([id]) => id === b);
      const [x, y] = [value(rows.get(a), sorted[0]), value(rows.get(b), sorted[0])];
      return x === y ? 0 : x === null ? 1 : y === null ? -1 : (x - y) * sorted[1];
    });
    let place = body.firstElementChild;
    for (const id of order) {
      const { tr } = rows.get(id);
      if (tr === place) place = place.nextElementSibling;
      else body.insertBefore(tr, place);
    }
    heads.forEach((head, figure) => {
      const here = sorted?.[0] === figure;
      const name = titled(FIGURES[figure][0]);
      head.firstChild.title = `Sort by ${name.toLowerCase()}${name.endsWith("ength") ? " (characters)" : ""}`;
      head.firstChild.replaceChildren(
        name,
        here ? h("span", { "aria-hidden": "true" }, sorted[1] > 0 ? " ▲" : " ▼") : "",
      );
      if (here) head.setAttribute("aria-sort", sorted[1] > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
  }

  // Only a click sorts: rows that come and go while it runs stay where they are.
  function sortBy(figure, first) {
    sorted = sorted?.[0] !== figure ? [figure, first] : sorted[1] === first ? [figure, -first] : null;
    arrange();
  }

  return {
    node,
    // What there is to show, in the order of the columns.
    fields(changed, all) {
      told = all;
      if ("number" in changed) sorted = null;
      if (all.running && ["elapsed", "running", "number"].some((name) => name in changed)) {
        zero = performance.now() / 1000 - all.elapsed;
      }
      const ids = all.columns.map(([id]) => id).filter((id) => all[`row ${id}`]);
      for (const [id, each] of rows) {
        if (!ids.includes(id)) {
          each.wait.stop();
          each.tr.remove();
          rows.delete(id);
        }
      }
      for (const id of ids) if (!rows.has(id)) rows.set(id, Object.assign(row(id), { id }));
      for (const id of ids) draw(rows.get(id), all[`row ${id}`]);
      setText(scale, ids.some((id) => all[`row ${id}`].wins) ? SHARES : TIMES);
      if ("waits" in changed) { for (const id of ids) rows.get(id).wait.set(all.waits[id] ?? 0); }
      if ("columns" in changed || "number" in changed || ids.length !== order.length) {
        order = [...ids];
        arrange();
      } else if (!all.running && ("running" in changed)) arrange(); // what failed goes last, once all is over
      tick();
      const goes = all.running && ids.length > 0;
      if (goes && !timer) timer = setInterval(tick, 200);
      if (!goes && timer) timer = clearInterval(timer) ?? 0;
      show(node, ids.length > 0);
      if ("number" in changed || "running" in changed) room.again();
    },
    at(id) {
      for (const [each, { tr, goes }] of rows) {
        tr.classList.toggle("tetrate-at", each === id);
        if (each === id) goes.setAttribute("aria-current", "true");
        else goes.removeAttribute("aria-current");
      }
    },
    order: () => order,
    stop() {
      clearInterval(timer);
      room.stop();
      for (const { wait } of rows.values()) wait.stop();
    },
  };
}
