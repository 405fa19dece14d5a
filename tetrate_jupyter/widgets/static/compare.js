// The comparison: what was asked in one line, who leads, the answers side by side, and the choice.

const LAYOUTS = [["columns", "Columns"], ["grid", "Grid"], ["one", "One at a time"]];
const SIDE_BY_SIDE = 4; // columns; more are shown one at a time, under the leaderboard
const KEPT = 2 * 1024 * 1024; // characters of the answers that a new kernel is given back; Jupyter's connection takes no much larger message
const SETTLES = 500; // milliseconds in which a second click of a double click could meet what has come under it

function compare(context) {
  const { send, copy, announce } = context;
  const quiet = { class: "tetrate-button tetrate-plain" };
  const form = setup(context);
  const columns = new Map();
  let all = {};
  let expanded = false;
  let onlyCode = false;
  let editing = false;
  let layout = "columns";
  let memory = null; // of the answers that were there last: what a saved file has, the votes, and the texts that are shown
  let at = null; // the column that is shown alone, and marked in the leaderboard
  let left = null; // the prompt that is open of the saved copy, once the kernel has gone
  let heard = 0; // when the kernel said how long the router wants to be left alone

  // --- what was asked, in one line ---
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
  const edit = button("Edit", () => {
    editing = !editing;
    fold();
    if (editing) form.text.focus();
  }, { ...quiet, "aria-expanded": "false", "data-home": "true" });
  const again = worded("retry", "Run again", () => form.ask(false), { class: "tetrate-button tetrate-go" });
  const stop = worded("stop", "Stop", () => send("stop"), {
    class: "tetrate-button tetrate-go",
    title: "Stop all",
    hidden: true,
  });
  const more = iconButton("more", "More", null, { "data-offline": "true" });
  const top = h(
    "div",
    { class: "tetrate-top" },
    opening,
    hides,
    models,
    prompts,
    asked,
    bar,
    stands,
    edit,
    again,
    stop,
    more,
  );
  const pop = menu(more, "The comparison", entries);

  // --- what must be known before the answers ---
  const look = (step, of) => () =>
    left !== null
      ? leaf(step)
      : send("look", { prompt: all.at[0] + (of ? 0 : step), repeat: all.at[1] + (of ? step : 0) });
  const said = h("p", { class: "tetrate-quiet tetrate-said", role: "status", hidden: true, dir: "auto" }); // of what goes along
  const notices = h("p", { class: "tetrate-quiet tetrate-said tetrate-notices", hidden: true, dir: "auto" });
  const warned = aside();
  const votes = h("span", { class: "tetrate-quiet tetrate-number" });
  const howTo = h("span", { class: "tetrate-grow" });
  const onward = worded("right", "Next prompt", look(1), { class: "tetrate-button tetrate-onward", hidden: true });
  const reveal = h(
    "button",
    {
      type: "button",
      class: "tetrate-button",
      onclick: () => {
        send("blind", { wanted: false });
        scroll.focus({ preventScroll: true });
      },
    },
    icon("eye"),
    h("span", {}, "Reveal"),
  );
  const blindly = h("div", { class: "tetrate-ask", hidden: true }, howTo, votes, onward, reveal);
  const picked = h("strong", { dir: "auto" });
  const useName = h("span", { class: "tetrate-clip" });
  const since = h("span", { class: "tetrate-whole" }, "from now on");
  const use = h(
    "button",
    { type: "button", class: "tetrate-button tetrate-main tetrate-use", "aria-pressed": "false", onclick: useIt },
    "Use ",
    useName,
    since,
  );
  const where = h("span", { class: "tetrate-quiet tetrate-grow", role: "status" });
  const goBack = button("Undo", () => send("back", { key: all.picks[0] }), { title: UNDOES, hidden: true });
  const pick = h(
    "div",
    { class: "tetrate-ask tetrate-picked-one", hidden: true },
    icon("check"),
    picked,
    use,
    where,
    goBack,
  );
  const claim = h("strong", {});
  const detail = h("span", { class: "tetrate-quiet" });
  const tally = h(
    "div",
    { class: "tetrate-ask tetrate-tally", hidden: true },
    h("div", { class: "tetrate-grow" }, claim, h("br"), detail),
  );
  const leaders = board({ send, select, announce });

  // --- how to read it ---
  const view = segments("Layout", LAYOUTS, (value) => {
    layout = value;
    if (rows()) send("show", { how: "answers" });
    read();
  });
  const back = iconButton("left", "Answer before", () => step(-1));
  const next = iconButton("right", "Next answer", () => step(1));
  const which = h("span", { class: "tetrate-number" });
  const steps = h("span", { class: "tetrate-ways", hidden: true }, back, which, next);
  const differ = button(
    "Differences",
    () => send("show", { how: all.view === "differences" ? "answers" : "differences", base: base.value }),
    { ...quiet, "aria-pressed": "false" },
  );
  const base = h("select", {
    "aria-label": "compared with",
    hidden: true,
    onchange: () => send("show", { how: "differences", base: base.value }),
  });
  const many = button(
    "All prompts",
    () => left !== null ? showSaved(saved.node.hidden) : send("show", { how: rows() ? "answers" : "all prompts" }),
    {
      ...quiet,
      "aria-pressed": "false",
    },
  );
  const blind = worded("blind", "Blind", () => send("blind", { wanted: !all.blind }), {
    ...quiet,
    "aria-pressed": "false",
    title: "Hide names, order, times and costs",
  });
  const place = h("span", { class: "tetrate-number" });
  const turn = (step) => () => send("page", { start: all.start + step * all.window });
  const before = iconButton("left", "Prompts before", () => (rows() && left === null ? turn(-1) : look(-1))());
  const after = iconButton("right", "Prompts after", () => (rows() && left === null ? turn(1) : look(1))());
  const sooner = iconButton("left", "Repeat before", look(-1, true));
  const later = iconButton("right", "Repeat after", look(1, true));
  const places = h("span", { class: "tetrate-ways", hidden: true }, before, after, place, sooner, later);
  const reading = h(
    "div",
    { class: "tetrate-end tetrate-reading" },
    view.node,
    steps,
    many,
    places,
    h("span", { class: "tetrate-grow" }),
    differ,
    base,
    blind,
  );
  const question = h("p", { class: "tetrate-said tetrate-question", hidden: true, dir: "auto" });

  const list = h("div", { class: "tetrate-columns", role: "list" });
  const scroll = h("div", { class: "tetrate-side", role: "region", tabindex: "0", "aria-label": "Answers" }, list);
  const frame = h("div", { class: "tetrate-frame" }, scroll);
  const saved = savedPrompts(context);
  const verdict = h("span", { class: "tetrate-verdict tetrate-grow", dir: "auto" });
  const seed = h("span", { class: "tetrate-quiet", hidden: true });
  const simulated = chip("simulated");
  simulated.title = "Simulated by the sandbox: no model was asked.";
  const removed = h("span", { role: "status" });
  const undo = button("Undo", () => send("undo"));
  const undone = h("span", { class: "tetrate-undo", hidden: true }, removed, undo);
  const chosen = h("span", { role: "status" });
  const unchoose = button("Undo", () => send("back", { key: all.using }), { title: UNDOES });
  const inUse = h("span", { class: "tetrate-undo tetrate-chosen", hidden: true }, icon("check"), chosen, unchoose);
  const done = h("span", { class: "tetrate-quiet", role: "status" });
  const end = h("div", { class: "tetrate-end" }, undone, inUse, verdict, done, seed, simulated);
  const results = h(
    "div",
    { class: "tetrate-results", hidden: true },
    notices,
    blindly,
    pick,
    tally,
    leaders.node,
    question,
    frame,
    saved.node,
    reading,
  );
  const node = h(
    "div",
    { class: "tetrate-compare tetrate-card" },
    top,
    form.node,
    said,
    warned.node,
    results,
    end,
    pop.node,
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

  function say(text) {
    setText(done, text);
    setTimeout(() => setText(done, ""), 2000);
  }

  function entries() {
    const has = all.prompts > 0;
    const lost = node.closest(".tetrate-lost");
    const over = has && !all.running;
    return (lost ? [] : [
      has &&
      ["blind", all.blind ? "Show the names" : "Blind: hide the names", () => send("blind", { wanted: !all.blind })],
      has && ["file", onlyCode ? "Show whole answers" : "Show only the code", () => {
        onlyCode = !onlyCode;
        read();
      }],
      has && ["list", expanded ? "Fold what the models thought" : "Unfold what the models thought", () => {
        expanded = !expanded;
        unfold();
      }],
      ["compare", "Same model twice (shows chance)", () => {
        send("again");
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
          say("Copied");
        }
      }],
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

  function useIt() {
    send("continue", { key: all.picks[0] });
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
    edit.setAttribute("aria-expanded", String(open));
    setText(edit, open && all.prompts ? "Done" : "Edit");
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
    view.set(rows() ? "" : layout);
    for (const each of ["columns", "grid", "one"]) {
      node.classList.toggle(`tetrate-as-${each}`, !rows() && layout === each);
    }
    node.classList.toggle("tetrate-code-only", onlyCode);
    for (const [id, each] of columns) each.node.classList.toggle("tetrate-at", id === at);
    leaders.at(layout === "one" && !rows() ? at : null);
    show(steps, layout === "one" && !rows() && ids.length > 1);
    setText(which, `${ids.indexOf(at) + 1} of ${ids.length}`);
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
  watch.observe(scroll);

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

  // --- when the kernel has gone ---
  function lost() {
    if (all.prompts < 2 || !saved.read(all.mark, all.prompts)) return;
    left = all.at[0];
    for (const each of [many, before, after]) each.disabled = false;
    if (rows()) showSaved(true);
  }

  function showSaved(wanted) {
    show(saved.node, wanted);
    show(frame, !wanted);
    show(question, !wanted && !rows());
    many.setAttribute("aria-pressed", String(wanted));
    view.set(wanted ? "" : layout);
  }

  function leaf(step) {
    showSaved(true);
    left = saved.open(left + step);
    setText(place, `prompt ${(left + 1).toLocaleString("en")} of ${all.prompts.toLocaleString("en")}`);
  }

  function range() {
    const number = (n) => n.toLocaleString("en");
    const last = Math.min(all.start + all.window, all.prompts);
    if (rows()) {
      return all.prompts > all.window
        ? `prompts ${number(all.start + 1)} to ${number(last)} of ${number(all.prompts)}`
        : "";
    }
    const said = [
      all.prompts > 1 && `prompt ${number(all.at[0] + 1)} of ${number(all.prompts)}`,
      all.repeats > 1 && `repeat ${all.at[1] + 1} of ${all.repeats}`,
    ];
    return said.filter(Boolean).join(", ");
  }

  function stand(changed, told) {
    const has = told.prompts > 0;
    const count = told.columns.length;
    show(opening, !has);
    for (const each of [models, asked, stands, edit]) show(each, has);
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
    const simulates = told.progress.endsWith(" · simulated");
    setText(stands, figures(simulates ? told.progress.slice(0, -12) : told.progress));
    stands.title = told.forecast;
    show(simulated, simulates);
    bar.value = told.share;
    show(bar, told.running && told.prompts * told.repeats > 1);
    if (stop.hidden === told.running) {
      const focused = document.activeElement === again || document.activeElement === stop;
      settle();
      stop.hidden = !told.running;
      again.hidden = told.running || !has;
      if (focused) edit.focus({ preventScroll: true }); // neither may follow on a second press of the same key
    }
    again.hidden = told.running || !has;
    again.setAttribute("aria-disabled", String(told.busy));
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
    show(blindly, has && told.blind);
    show(reveal, !told.running);
    setText(claim, told.claim);
    setText(detail, told.detail);
    show(tally, Boolean(told.claim));
    setText(picked, told.pick);
    show(pick, Boolean(told.pick));
    const one = told.picks.length === 1 ? told.columns.find(([id]) => id === told.picks[0]) : null;
    show(use, Boolean(one));
    const used = Boolean(one) && told.using === one[0];
    if (use.getAttribute("aria-pressed") !== String(used)) {
      use.replaceChildren(...(used ? [icon("dot"), IN_USE] : ["Use ", useName, since]));
    }
    if (one) setText(useName, shortened(one[1]));
    use.setAttribute("aria-pressed", String(used));
    use.classList.toggle("tetrate-main", !used);
    setText(
      where,
      used
        ? "It is in use in this notebook, and the chat goes on from its answer."
        : told.pick
        ? "Votes are in result.df and in the saved file."
        : "",
    );
    show(goBack, used && told.back);
    setText(seed, `in the order of seed ${told.seed}`);
    show(seed, has && told.blind);
    const user = told.columns.find(([id]) => id === told.using);
    setText(chosen, user ? `${user[1]} is in use in this notebook, and the chat goes on from its answer.` : "");
    show(unchoose, told.back);
    show(inUse, Boolean(user) && !(told.pick && used)); // else the line about the pick says it
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
      (told.columns.length > SIDE_BY_SIDE ? leaders.node : saved.node).after(reading);
      settle();
    }
    form.fields(changed, told);
    leaders.fields(changed, told);
    show(results, told.prompts > 0);
    fold();
    stand(changed, told);
    if ("columns" in changed) {
      list.style.setProperty("--columns", told.columns.length || 1);
      base.replaceChildren(...told.columns.map(([id, label]) => h("option", { value: id }, `from ${label}`)));
    }
    base.value = told.base;
    show(base, told.view === "differences");
    differ.setAttribute("aria-pressed", String(told.view === "differences"));
    many.setAttribute("aria-pressed", String(rows()));
    show(many, told.views.includes("all prompts"));
    blind.setAttribute("aria-pressed", String(told.blind));
    setText(place, range());
    show(places, Boolean(range()));
    for (const each of [before, after]) show(each, told.prompts > 1);
    for (const each of [sooner, later]) show(each, told.repeats > 1 && !rows());
    node.classList.toggle("tetrate-rows", rows());
    node.classList.toggle("tetrate-several", told.prompts * told.repeats > 1);
  }

  function told() {
    draw();
    read();
    if (all.file && (!rows() || all.file.rows[0]?.text !== undefined)) memory = [all.file, all.votes, texts()];
    if (!all.prompts || all.blind) memory = null;
    const answers = shownIds().map((id) => columns.get(id).self().fields);
    const keys = answers.slice(0, 9).map((_, place) => h("kbd", {}, String(place + 1)));
    if (all.running) howTo.replaceChildren("All answers are shown together, once the last is there.");
    else {howTo.replaceChildren(
        "Which is best? Vote with the buttons or the keys ",
        ...keys.flatMap((key) => [key, " "]),
        "; ties are fine.",
      );}
    const here = answers.filter((each) => each.vote).length;
    const every = all.prompts === 1 ? here > 0 : all.voted === all.prompts;
    setText(
      votes,
      all.running || rows()
        ? ""
        : all.prompts > 1
        ? `${all.voted.toLocaleString("en")} of ${all.prompts.toLocaleString("en")} prompts voted`
        : `${here} of ${answers.length} voted`,
    );
    const goes = !all.running && !rows() && !every && all.at[0] + 1 < all.prompts;
    if (!goes && document.activeElement === onward) scroll.focus({ preventScroll: true }); // where digits vote
    show(onward, goes);
    onward.classList.toggle("tetrate-main", here > 0);
    reveal.classList.toggle("tetrate-main", every);
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
    lost,
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
