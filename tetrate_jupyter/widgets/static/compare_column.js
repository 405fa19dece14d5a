// What the comparison shows: a column for each model, or a row for each prompt.

function column(context, isExpanded) {
  const { send } = context;
  const quiet = { class: "tetrate-button tetrate-plain" };
  const label = h("h4", { class: "tetrate-label", dir: "ltr", translate: "no" });
  const about = h("p", { class: "tetrate-quiet tetrate-own", hidden: true });
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
    h("header", {}, label, about, status, bar), reasoning, body, error, notes,
    h("div", { class: "tetrate-buttons" }, stop, copied, retry, keep, remove), chosen);
  return Object.assign(item, {
    grown() { if (item.self().fields.state !== "running") withButtons(body, context); },
    update(now, all) {
      setText(label, all.label);
      item.node.setAttribute("aria-label", all.label);
      for (const each of [stop, retry, keep, remove, copied]) each.setAttribute("aria-label", `${each.textContent}: ${all.label}`);
      setText(about, all.about);
      show(about, Boolean(all.about));
      setText(status, figures(all.status));
      status.title = all.exact;
      const [start = 0, waited = 0, wrote = 0] = all.bar;
      wait.style.marginInlineStart = `${start}%`;
      wait.style.width = `${waited}%`;
      write.style.width = `${wrote}%`;
      bar.setAttribute("aria-label", "waiting, then writing");
      bar.title = "waiting (light), writing (dark)";
      show(bar, all.bar.length > 0);
      if ("reasoning" in now) { thoughts.innerHTML = all.reasoning; show(reasoning, Boolean(all.reasoning)); if (isExpanded()) reasoning.open = true; }
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

// One prompt of several: its text, what became of it in each column, and its answers where it is unfolded.
function promptRow(context) {
  const { send } = context;
  const body = h("div", { class: "tetrate-body", hidden: true });
  const item = { body };
  const opens = button("", () => send("open", { number: item.self().fields.number }), { class: "tetrate-button tetrate-plain tetrate-prompt", dir: "auto" });
  const live = button("Show in columns", () => send("look", { prompt: item.self().fields.number, repeat: 0 }), { class: "tetrate-button tetrate-plain" });
  const cells = h("dl", { class: "tetrate-cells" });
  item.node = h("article", { class: "tetrate-promptrow", role: "listitem" }, h("header", { class: "tetrate-row" }, opens, live), cells, body);
  return Object.assign(item, {
    grown() { withButtons(body, context); },
    update(changed, all) {
      setText(opens, `${all.number + 1}. ${all.prompt}`);
      opens.setAttribute("aria-expanded", String(all.opened));
      live.setAttribute("aria-label", `Show prompt ${all.number + 1} in columns`);
      show(body, all.opened);
      if ("cells" in changed) cells.replaceChildren(...all.cells.map(([label, text]) => h("div", {}, h("dt", { translate: "no" }, label), h("dd", { class: "tetrate-quiet tetrate-number" }, text))));
    },
  });
}
