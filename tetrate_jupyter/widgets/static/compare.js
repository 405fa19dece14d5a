// The comparison: what to ask and whom, where it stands, the columns side by side.

function compare(context) {
  const { send, copy, announce } = context;
  const quiet = { class: "tetrate-button tetrate-plain" };
  const form = setup(context);
  let all = {};
  let expanded = false;

  // --- where it stands ---
  const bar = h("progress", { max: "1", "aria-label": "Progress" });
  const stands = h("span", { class: "tetrate-quiet tetrate-number" });
  const stop = button("Stop all", () => send("stop"));
  const retry = button("Retry what failed", () => send("retry"), quiet);
  const clear = button("Remove all", () => send("clear"), { ...quiet, title: "Takes the answers out of this panel; session.comparison still has them" });
  const place = h("span", { class: "tetrate-number" });
  const look = (step, of) => () => send("look", { prompt: all.at[0] + (of ? 0 : step), repeat: all.at[1] + (of ? step : 0) });
  const turn = (step) => () => send("page", { start: all.start + step * all.window });
  const before = button("‹", () => (rows() ? turn(-1) : look(-1))(), { ...quiet, "aria-label": "Prompts before" });
  const after = button("›", () => (rows() ? turn(1) : look(1))(), { ...quiet, "aria-label": "Prompts after" });
  const sooner = button("‹", look(-1, true), { ...quiet, "aria-label": "Repeat before" });
  const later = button("›", look(1, true), { ...quiet, "aria-label": "Repeat after" });
  const places = h("span", { class: "tetrate-ways", hidden: true }, before, after, place, sooner, later);
  const question = h("p", { class: "tetrate-question", hidden: true, dir: "auto" });
  const notices = h("p", { class: "tetrate-quiet tetrate-notices", hidden: true, dir: "auto" });
  const verdict = h("p", { class: "tetrate-verdict", hidden: true });
  const forecast = h("p", { class: "tetrate-quiet tetrate-forecast", hidden: true });
  const status = h("div", { class: "tetrate-standing", hidden: true },
    h("div", { class: "tetrate-row" }, bar, stands, stop, retry, clear, places), forecast, notices, question, verdict);

  // --- how to read it ---
  const view = h("select", { "aria-label": "Show", onchange: showAs });
  const base = h("select", { "aria-label": "compared with", hidden: true, onchange: showAs });
  const expand = button("Expand all", () => { expanded = !expanded; unfold(); }, { ...quiet, "aria-pressed": "false", "data-offline": "true" });
  const hidden = h("span", { class: "tetrate-quiet", hidden: true });
  const reveal = button("Reveal the names", () => { send("blind", { wanted: false }); form.blind.focus(); }, { class: "tetrate-button", hidden: true });
  const table = saying("Copy as table", "Copied", async () => { if (await send("table")) await copy(all.table); }, quiet);
  const code = saying("Copy the cell", "Copied", () => copy(all.code), { ...quiet, "data-offline": "true", title: "The code that makes this comparison again" });
  const insert = saying("Insert the cell", "Inserted below", () => insertCell(context.model, context.told.mark, all.code), quiet);
  const reading = h("div", { class: "tetrate-row tetrate-reading", hidden: true },
    h("label", {}, h("span", {}, "Show"), view), base, expand, hidden, reveal, table, code, insert);

  const list = h("div", { class: "tetrate-columns", role: "list" });
  const scroll = h("div", { class: "tetrate-side", role: "region", tabindex: "0", "aria-label": "Answers", hidden: true }, list);
  const removed = h("span", { role: "status" });
  const undo = button("Undo", () => send("undo"));
  const undone = h("div", { class: "tetrate-row tetrate-undo", hidden: true }, removed, undo);
  const node = h("div", { class: "tetrate-compare" }, form.node, status, reading, scroll, undone);

  function rows() {
    return all.view === "all prompts";
  }

  function showAs() {
    send("show", { how: view.value, base: base.value });
  }

  function unfold() {
    expand.setAttribute("aria-pressed", String(expanded));
    node.classList.toggle("tetrate-expanded", expanded);
    for (const each of list.querySelectorAll("details")) each.open = expanded;
  }

  function where() {
    const number = (n) => n.toLocaleString("en");
    const last = Math.min(all.start + all.window, all.prompts);
    if (rows()) return all.prompts > all.window ? `prompts ${number(all.start + 1)} to ${number(last)} of ${number(all.prompts)}` : "";
    const said = [all.prompts > 1 && `prompt ${number(all.at[0] + 1)} of ${number(all.prompts)}`, all.repeats > 1 && `repeat ${all.at[1] + 1} of ${all.repeats}`];
    return said.filter(Boolean).join(", ");
  }

  function stand(told) {
    bar.value = told.share;
    setText(stands, figures(told.progress));
    show(stop, told.running);
    show(retry, !told.running && told.failed > 0);
    show(clear, !told.running);
    setText(place, where());
    show(places, Boolean(where()));
    for (const each of [before, after]) show(each, told.prompts > 1);
    for (const each of [sooner, later]) show(each, told.repeats > 1 && !rows());
    setText(question, told.question);
    show(question, told.prompts > 1 && !rows());
    setText(notices, told.notices);
    show(notices, Boolean(told.notices));
    setText(forecast, told.forecast);
    show(forecast, Boolean(told.forecast) && told.running);
    if (verdict.textContent !== told.verdict && told.verdict) announce(`Done. ${told.verdict}`);
    setText(verdict, told.verdict);
    show(verdict, Boolean(told.verdict));
  }

  function fields(changed, told) {
    all = told;
    form.fields(changed, told);
    for (const each of [status, reading, scroll]) show(each, told.prompts > 0);
    stand(told);
    setText(removed, told.undo);
    show(undone, Boolean(told.undo));
    if ("views" in changed) view.replaceChildren(...told.views.map((each) => h("option", { value: each }, each)));
    view.value = told.view;
    if ("columns" in changed) list.style.setProperty("--columns", told.columns.length || 1);
    if ("columns" in changed) base.replaceChildren(...told.columns.map(([id, label]) => h("option", { value: id }, `from ${label}`)));
    base.value = told.base;
    show(base, told.view === "differences");
    setText(hidden, `in the order of seed ${told.seed}`);
    show(hidden, told.blind);
    show(reveal, told.blind && !told.running);
    show(table, Boolean(told.code) && !rows());
    show(code, Boolean(told.code));
    show(insert, Boolean(told.code) && Boolean(cellOf(context.model, told.mark)));
    node.classList.toggle("tetrate-code-only", told.view === "code");
    node.classList.toggle("tetrate-rows", rows());
  }

  return { node, list, fields, item: (key) => (key.startsWith("p") ? promptRow(context) : column(context, () => expanded)) };
}

export default { render: (context) => panel(context, "Compare models", compare) };
