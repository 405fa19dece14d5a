// The comparison: its head, what is asked, who leads, the answers side by side, and the choice.

const SIDE_BY_SIDE = 4; // columns; more are shown one at a time, under the leaderboard
const KEPT = 2 * 1024 * 1024; // characters of the answers that a new kernel is given back; Jupyter's connection takes no much larger message
const SETTLES = 500; // milliseconds in which a second click of a double click could meet what has come under it

function compare(context) {
  const { send, copy, announce } = context;
  const form = setup(context);
  const columns = new Map();
  let all = {};
  let expanded = false;
  let onlyCode = false;
  let editing = false;
  let layout = "columns";
  let memory = null; // of the answers that were there last: what a saved file has, the votes, and the texts that are shown
  let at = null; // the column that is shown alone, and marked in the leaderboard
  let saying = 0; // the timer of what is said for a moment
  let heard = 0; // when the kernel said how long the router wants to be left alone

  const head = heading(context, {
    ask: () => form.ask(false),
    edit() {
      editing = !editing;
      fold();
      if (editing) form.text.focus();
    },
    entries,
    settles: settle,
  });

  const reading = readingBar(context, {
    rows,
    step,
    set(value) {
      layout = value;
      read();
    },
    // Whether the saved copy stands in place of the answers.
    turn(isSaved) {
      show(frame, !isSaved);
      show(question, !isSaved && Boolean(question.textContent));
      reading.set(isSaved || rows() ? "" : layout);
    },
  });

  // --- what must be known before the answers ---
  const said = h("p", { class: "tetrate-quiet tetrate-said", role: "status", hidden: true, dir: "auto" }); // of what goes along
  const notices = h("p", { class: "tetrate-quiet tetrate-said tetrate-notices", hidden: true, dir: "auto" });
  const warned = aside();
  const choice = decided(context, {
    goOn: () => reading.look(1, 0),
    home: () => scroll.focus({ preventScroll: true }),
    opened: () => editing,
  });
  const leaders = board({ send, select, announce });

  const question = h("p", { class: "tetrate-said tetrate-question", hidden: true, dir: "auto" });

  const list = h("div", { class: "tetrate-columns", role: "list" });
  const scroll = h("div", { class: "tetrate-side", role: "region", tabindex: "0", "aria-label": "Answers" }, list);
  const frame = h("div", { class: "tetrate-frame" }, scroll);
  const verdict = h("span", { class: "tetrate-verdict tetrate-grow", dir: "auto" });
  const seed = h("span", { class: "tetrate-quiet", hidden: true });
  const simulated = chip("simulated");
  simulated.title = "Simulated by the sandbox: no model was asked.";
  const removed = h("span", { role: "status" });
  const undo = button("Undo", () => send("undo"));
  const undone = h("span", { class: "tetrate-undo", hidden: true }, removed, undo);
  const done = h("span", { class: "tetrate-quiet", role: "status" });
  const end = h("div", { class: "tetrate-end" }, undone, choice.inUse, verdict, done, seed, simulated);
  const results = h(
    "div",
    { class: "tetrate-results", hidden: true },
    notices,
    ...choice.nodes,
    leaders.node,
    question,
    frame,
    reading.saved,
    reading.node,
  );
  const node = h(
    "div",
    { class: "tetrate-compare tetrate-card" },
    head.node,
    form.node,
    said,
    warned.node,
    results,
    end,
    head.menu,
  );

  // Seconds until any of what failed may be asked again.
  function soonest() {
    const each = Object.keys(all.waits).map(waits);
    return each.length < all.failed ? 0 : Math.min(...each);
  }

  function waits(id) {
    return Math.max(0, (all.waits[id] ?? 0) - (performance.now() - heard) / 1000);
  }

  function rows() {
    return all.view === "all prompts";
  }

  function say(text, milliseconds = 2000) {
    setText(done, text);
    clearTimeout(saying);
    saying = setTimeout(() => setText(done, ""), milliseconds);
  }

  function entries() {
    const has = all.prompts > 0;
    const lost = node.closest(".tetrate-lost");
    const over = has && !all.running;
    return (lost ? [] : [
      has &&
      ["blind", all.blind ? "Reveal" : "Blind: hide the names", () => send("blind", { wanted: !all.blind })],
      has && ["file", onlyCode ? "Show whole answers" : "Show only the code", () => {
        onlyCode = !onlyCode;
        read();
      }],
      has && ["list", expanded ? "Fold what the models thought" : "Unfold what the models thought", () => {
        expanded = !expanded;
        unfold();
      }],
      ["compare", "Same model twice (shows chance)", () => {
        form.twice();
        editing = true;
        fold();
      }],
      ["usage", "Estimate cost", () => {
        editing = true;
        fold();
        form.ask(true);
      }],
      over && null,
      over && all.failed > 0 && ["retry", "Retry what failed", () => send("retry"), soonest()],
      over && all.code && !rows() && ["copy", "Copy as table", async () => {
        if (await send("table")) {
          await copy(all.table);
          say(all.copied);
        }
      }],
      over && !lost && !all.blind && ["export", "Save as CSV", () => send("save")],
      over && all.code && cellOf(context.model, all.mark) && ["below", "Save as a cell", () => {
        insertCell(context.model, all.mark, all.code);
        say("Inserted below");
      }],
    ]).concat([
      all.code && ["copy", "Copy as code", async () => {
        await copy(all.code);
        say("Copied");
      }],
      over && !lost && ["close", "Remove the answers", () => send("clear")],
    ]).filter((each) => each !== false && each !== "" && each !== undefined);
  }

  function unfold() {
    for (const each of list.querySelectorAll("details")) each.open = expanded;
  }

  // What has come under the pointer takes no click for a moment.
  function settle() {
    node.classList.add("tetrate-settling");
    setTimeout(() => node.classList.remove("tetrate-settling"), SETTLES);
  }

  function fold() {
    const open = editing || !all.prompts;
    if (!open && form.node.contains(document.activeElement)) scroll.focus({ preventScroll: true });
    show(form.node, open);
    head.fold(open, Boolean(all.prompts));
    choice.draw();
    node.classList.toggle("tetrate-open", open);
    draw();
  }

  function draw() {
    for (const [key, each] of columns) {
      if (each.node.isConnected) each.draw();
      else {
        each.stop();
        columns.delete(key);
      }
    }
  }

  // --- one of the answers ---
  function shownIds() {
    return [...list.children].map((each) => [...columns].find(([, item]) => item.node === each)?.[0]).filter(Boolean);
  }

  function select(id) {
    at = id;
    if (rows()) send("show", { how: "answers" });
    read();
    const chosen = columns.get(id)?.node;
    if (!chosen || layout === "one") return;
    scroll.scrollTo({
      left: chosen.offsetLeft - list.offsetLeft,
      top: layout === "grid" ? chosen.offsetTop - list.offsetTop : scroll.scrollTop,
    });
  }

  // In the order of the leaderboard, where there is one.
  function ranked() {
    const ids = shownIds();
    return [...leaders.order().filter((id) => ids.includes(id)), ...ids.filter((id) => !leaders.order().includes(id))];
  }

  function step(by) {
    const ids = ranked();
    select(ids[(ids.indexOf(at) + by + ids.length) % ids.length]);
  }

  function read() {
    const ids = ranked();
    if (!ids.includes(at)) at = ids[0] ?? null;
    reading.set(rows() ? "" : layout);
    for (const each of ["columns", "grid", "one"]) {
      node.classList.toggle(`tetrate-as-${each}`, !rows() && layout === each);
    }
    node.classList.toggle("tetrate-code-only", onlyCode);
    for (const [id, each] of columns) each.node.classList.toggle("tetrate-at", id === at);
    leaders.at(layout === "one" && !rows() ? at : null);
    reading.steps(layout === "one" && !rows() ? ids : [], at);
    edges();
  }

  // A shadow at the side where there is more: measured once a frame, not once a message.
  let measured = 0;
  function edges() {
    measured ||= requestAnimationFrame(measure);
  }

  function measure() {
    measured = 0;
    const left = scroll.scrollLeft > 1;
    const right = scroll.scrollLeft + scroll.clientWidth < scroll.scrollWidth - 1;
    frame.dataset.more = [left && "start", right && "end"].filter(Boolean).join(" ");
  }

  scroll.addEventListener("scroll", edges, { passive: true });
  const watch = new ResizeObserver(edges);
  for (const each of [scroll, list]) watch.observe(each);

  // Digits vote wherever the focus is in the results: a button that was just pressed has it.
  results.addEventListener("keydown", (event) => {
    if (
      event.ctrlKey || event.metaKey || event.altKey || event.isComposing ||
      event.target.closest("input, textarea, select")
    ) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by && layout === "one" && !rows() && scroll.contains(event.target) && !event.target.closest("pre")) {
      event.preventDefault();
      step(by);
    }
    const key = /^[1-9]$/.test(event.key) && !event.repeat ? shownIds()[Number(event.key) - 1] : null;
    if (!key || rows()) return;
    event.preventDefault();
    const { fields } = columns.get(key).self();
    if (fields.source || fields.state === "running") {
      send("vote", { key, vote: fields.vote === "best" ? null : "best" });
    }
  });

  function stand(changed, told) {
    const has = told.prompts > 0;
    head.fields(told);
    show(simulated, told.simulated);
    for (
      const [each, text] of [[notices, told.notices], [said, told.said], [
        question,
        told.prompts > 1 && !rows() ? told.question : "",
      ]]
    ) {
      setText(each, text);
      show(each, Boolean(text));
    }
    if ("warns" in changed || "unfilled" in changed || "sent" in changed) {
      warned.update({ chips: true }, { chips: [...told.unfilled, ...told.warns], said: [], sent: told.sent });
    }
    if (verdict.textContent !== told.verdict && told.verdict) announce(`Done. ${told.verdict}`);
    setText(verdict, told.verdict);
    choice.fields(told);
    setText(seed, `in the order of seed ${told.seed}`);
    show(seed, has && told.blind);
    setText(removed, told.undo);
    show(undone, Boolean(told.undo));
    show(end, has || Boolean(told.undo));
  }

  function fields(changed, told) {
    all = told;
    if ("waits" in changed) heard = performance.now();
    if ("number" in changed && told.number) {
      editing = false;
      memory = null;
      layout = told.columns.length > SIDE_BY_SIDE ? "one" : "columns";
      at = null;
      (told.columns.length > SIDE_BY_SIDE ? leaders.node : reading.saved).after(reading.node);
      settle();
    }
    if ("saved" in changed && told.saved && !("number" in changed)) say(told.saved, 8000);
    form.fields(changed, told);
    leaders.fields(changed, told);
    show(results, told.prompts > 0);
    fold();
    stand(changed, told);
    if ("columns" in changed) list.style.setProperty("--columns", told.columns.length || 1);
    reading.fields(changed, told);
    node.classList.toggle("tetrate-rows", rows());
    node.classList.toggle("tetrate-several", told.prompts * told.repeats > 1);
  }

  function told() {
    draw();
    read();
    if (all.file && (!rows() || all.file.rows[0]?.text !== undefined)) memory = [all.file, all.votes, texts()];
    if (!all.prompts || all.blind) memory = null;
    choice.count(all, shownIds().map((id) => columns.get(id).self().fields), rows());
  }

  function item(key) {
    if (key.startsWith("p")) return promptRow(context);
    const made = column(context, { isExpanded: () => expanded, waits, opened: () => editing || Boolean(all.pick) });
    columns.set(key, made);
    return made;
  }

  function texts() {
    return new Map(shownIds().map((id) => [id, columns.get(id).self().fields.source ?? ""]));
  }

  // What a new kernel is given back: what was to be asked, and the answers.
  function keep() {
    const draft = { prompt: form.text.value, several: all.several, picked: all.picked, parameters: all.parameters };
    if (!memory || all.given) return { draft };
    const [{ rows: told, ...file }, votes, texts] = memory;
    const made = told.map((each) => ({ text: texts.get(each.column) ?? "", ...each }));
    for (const [place, vote, early, blind] of votes) {
      Object.assign(made[place], { vote, vote_early: early, vote_blind: blind });
    }
    const size = made.reduce((sum, { text }) => sum + text.length, 0);
    return size > KEPT ? { draft } : { draft, file: { ...file, rows: made }, at: all.at };
  }

  return {
    node,
    list,
    fields,
    item,
    after: told,
    keep,
    lost: reading.lost,
    take: (kept) => send("take", kept),
    stop() {
      leaders.stop();
      for (const each of columns.values()) each.stop();
      watch.disconnect();
      cancelAnimationFrame(measured);
    },
  };
}

export default { render: (context) => panel(context, "Compare models", compare) };
