// The comparison: what to ask and whom, the columns side by side, what came of it.

function compare(context) {
  const { send, copy, announce } = context;
  const quiet = { class: "tetrate-button tetrate-plain" };
  let all = {};

  // --- whom and what ---
  const chips = h("ul", { class: "tetrate-picked", "aria-label": "Models to compare" });
  const add = h("select", { "aria-label": "Add a model", onchange: () => { if (add.value) send("add", { model: add.value }); add.value = ""; } });
  const text = h("textarea", { rows: "2", "aria-label": "Prompt", "data-home": "true", placeholder: "What do you want to compare?" });
  const go = h("button", { type: "submit", class: "tetrate-button tetrate-main" }, "Compare");
  const field = (name, label) => h("label", {}, h("span", {}, label),
    h("input", { type: "text", size: "6", name, placeholder: "default", onchange: (event) => send("set", { name, value: event.target.value }) }));
  const inputs = h("span", { class: "tetrate-row" }, field("temperature", "Temperature"), field("max_tokens", "Output cap"), field("repeats", "Repeats"));
  const form = h("form", { class: "tetrate-setup", onsubmit: ask },
    h("div", { class: "tetrate-row" }, chips, add), text,
    h("details", {}, h("summary", {}, "Parameters for all columns"), inputs),
    h("div", { class: "tetrate-row" }, h("span", { class: "tetrate-quiet tetrate-keys" }, "Ctrl or Cmd + Enter compares"), go));

  // --- where it stands ---
  const bar = h("progress", { max: "1", "aria-label": "Progress" });
  const stands = h("span", { class: "tetrate-quiet tetrate-number" });
  const stop = button("Stop all", () => send("stop"));
  const retry = button("Retry what failed", () => send("retry"), quiet);
  const place = h("span", { class: "tetrate-number" });
  const look = (step, of) => () => send("look", { prompt: all.at[0] + (of ? 0 : step), repeat: all.at[1] + (of ? step : 0) });
  const before = button("‹", look(-1), { ...quiet, "aria-label": "Prompt before" });
  const after = button("›", look(1), { ...quiet, "aria-label": "Prompt after" });
  const sooner = button("‹", look(-1, true), { ...quiet, "aria-label": "Repeat before" });
  const later = button("›", look(1, true), { ...quiet, "aria-label": "Repeat after" });
  const places = h("span", { class: "tetrate-ways", hidden: true }, before, after, place, sooner, later);
  const question = h("p", { class: "tetrate-question", hidden: true, dir: "auto" });
  const verdict = h("p", { class: "tetrate-verdict", hidden: true });
  const forecast = h("p", { class: "tetrate-quiet tetrate-forecast", hidden: true });
  const status = h("div", { class: "tetrate-standing", hidden: true },
    h("div", { class: "tetrate-row" }, bar, stands, stop, retry, places), forecast, question, verdict);

  // --- how to read it ---
  const view = h("select", { "aria-label": "Show", onchange: show_as });
  const base = h("select", { "aria-label": "compared with", hidden: true, onchange: show_as });
  const blind = h("input", { type: "checkbox", onchange: () => send("blind", { wanted: blind.checked }) });
  const table = saying("Copy as table", "Copied", () => copy(all.table), { ...quiet, "data-offline": "true" });
  const code = saying("Copy the cell", "Copied", () => copy(all.code), { ...quiet, "data-offline": "true", title: "The code that makes this comparison again" });
  const insert = saying("Insert the cell", "Inserted below", () => insertCell(context.model, context.told.mark, all.code), quiet);
  const reading = h("div", { class: "tetrate-row tetrate-reading", hidden: true },
    h("label", {}, h("span", {}, "Show"), view), base, h("label", {}, blind, h("span", {}, "Hide the names")), table, code, insert);

  const list = h("div", { class: "tetrate-columns", role: "list" });
  const scroll = h("div", { class: "tetrate-side", role: "region", tabindex: "0", "aria-label": "Answers", hidden: true }, list);
  const node = h("div", { class: "tetrate-compare" }, form, status, reading, scroll);

  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask(event);
  });
  text.addEventListener("input", () => fit(text));

  async function ask(event) {
    event.preventDefault();
    if (!go.disabled) await send("run", { text: text.value });
  }

  function fit(area) {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, 320)}px`;
  }

  function show_as() {
    send("show", { how: view.value, base: base.value });
  }

  function fields(changed, told) {
    all = told;
    if ("models" in changed) {
      add.replaceChildren(h("option", { value: "" }, "Add a model"), ...told.models.map(([provider, ids]) =>
        h("optgroup", { label: provider }, ...ids.map((id) => h("option", { value: id }, id)))));
    }
    if ("picked" in changed || "running" in changed) {
      chips.replaceChildren(...told.picked.map((name, number) => h("li", { class: "tetrate-chip" }, h("span", {}, name),
        button("×", () => { send("drop", { place: number }); text.focus(); }, { ...quiet, "aria-label": `Remove ${name}` }))));
      if (!told.picked.length) chips.replaceChildren(h("li", { class: "tetrate-quiet" }, "the session's model and two neighbours"));
    }
    show(add, told.picked.length < told.most);
    if ("prompt" in changed && document.activeElement !== text) { text.value = told.prompt; fit(text); }
    if ("parameters" in changed) {
      for (const input of inputs.querySelectorAll("input")) input.value = told.parameters[input.name] ?? "";
    }
    go.disabled = told.busy;
    setText(go, told.busy ? "Preparing ..." : told.prompts ? "Compare again" : "Compare");
    show(status, told.prompts > 0);
    show(reading, told.prompts > 0);
    show(scroll, told.prompts > 0);
    bar.value = told.share;
    setText(stands, told.progress);
    show(stop, told.running);
    show(retry, !told.running && told.failed > 0);
    show(places, told.prompts > 1 || told.repeats > 1);
    for (const each of [before, after]) show(each, told.prompts > 1);
    for (const each of [sooner, later]) show(each, told.repeats > 1);
    const where = [told.prompts > 1 && `prompt ${told.at[0] + 1} of ${told.prompts}`, told.repeats > 1 && `repeat ${told.at[1] + 1} of ${told.repeats}`];
    setText(place, where.filter(Boolean).join(", "));
    setText(question, told.question);
    show(question, told.prompts > 1);
    setText(forecast, told.forecast);
    show(forecast, Boolean(told.forecast) && told.running);
    if (verdict.textContent !== told.verdict && told.verdict) announce(`Done. ${told.verdict}`);
    setText(verdict, told.verdict);
    show(verdict, Boolean(told.verdict));
    if ("views" in changed) view.replaceChildren(...told.views.map((each) => h("option", { value: each }, each)));
    view.value = told.view;
    if ("columns" in changed) base.replaceChildren(...told.columns.map(([id, label]) => h("option", { value: id }, `from ${label}`)));
    base.value = told.base;
    show(base, told.view === "differences" && !told.blind);
    blind.checked = told.blind;
    show(table, Boolean(told.table));
    show(code, Boolean(told.code));
    show(insert, Boolean(told.code) && Boolean(cellOf(context.model, told.mark)));
    node.classList.toggle("tetrate-code-only", told.view === "code");
  }

  return { node, list, fields, item: () => column(context) };
}

function column(context) {
  const { send } = context;
  const quiet = { class: "tetrate-button tetrate-plain" };
  const label = h("h4", { class: "tetrate-label", dir: "ltr", translate: "no" });
  const status = h("p", { class: "tetrate-quiet tetrate-number tetrate-status" });
  const wait = h("span", { class: "tetrate-wait" });
  const write = h("span", { class: "tetrate-write" });
  const bar = h("div", { class: "tetrate-bar", role: "img", hidden: true }, wait, write);
  const thoughts = h("div", { class: "tetrate-body" });
  const reasoning = h("details", { class: "tetrate-reasoning", hidden: true }, h("summary", {}, "Reasoning"), thoughts);
  const body = h("div", { class: "tetrate-body" });
  const error = h("div", { class: "tetrate-problem", hidden: true });
  const notes = h("div", {});
  const item = { body };
  const act = (name) => () => send(name, { key: item.self().key });
  const stop = button("Stop", act("stop"), { class: "tetrate-button" });
  const retry = button("Retry", act("retry"), quiet);
  const keep = button("Continue with this one", act("continue"), quiet);
  const remove = button("Remove", act("remove"), quiet);
  const copied = saying("Copy", "Copied", () => context.copy(item.self().fields.source), { ...quiet, "data-offline": "true" });
  const chosen = h("p", { class: "tetrate-quiet", role: "status", hidden: true }, "This is the session's conversation now.");
  keep.addEventListener("click", () => show(chosen, true));
  item.node = h("article", { class: "tetrate-column", role: "listitem" },
    h("header", {}, label, status, bar), reasoning, body, error, notes,
    h("div", { class: "tetrate-buttons" }, stop, copied, retry, keep, remove), chosen);
  return Object.assign(item, {
    grown() { if (item.self().fields.state !== "running") withButtons(body, context); },
    update(now, all) {
      setText(label, all.label);
      item.node.setAttribute("aria-label", all.label);
      for (const each of [stop, retry, keep, remove, copied]) each.setAttribute("aria-label", `${each.textContent}: ${all.label}`);
      setText(status, all.status);
      status.title = all.exact;
      const [start = 0, waited = 0, wrote = 0] = all.bar;
      wait.style.marginInlineStart = `${start}%`;
      wait.style.width = `${waited}%`;
      write.style.width = `${wrote}%`;
      bar.setAttribute("aria-label", "waiting, then writing");
      bar.title = "waiting (light), writing (dark)";
      show(bar, all.bar.length > 0);
      if ("reasoning" in now) { thoughts.innerHTML = all.reasoning; show(reasoning, Boolean(all.reasoning)); }
      if ("error" in now) {
        error.replaceChildren(...all.error.map((line) => h("p", { dir: "auto" }, line)));
        show(error, all.error.length > 0);
      }
      if ("notes" in now) notes.replaceChildren(...all.notes.map((note) => h("p", { class: "tetrate-notice", dir: "auto" }, note)));
      const going = all.state === "running" || all.state === "waiting";
      item.node.setAttribute("aria-busy", String(going));
      show(stop, going);
      show(retry, !going);
      show(copied, Boolean(all.source));
      show(keep, Boolean(all.source));
      if (going) show(chosen, false);
    },
  });
}

export default { render: (context) => panel(context, "Compare models", compare) };
