// The chat: header with the model, the questions and answers, the box to ask in.

const LARGEST = 8 * 1024 * 1024; // bytes of an image; Jupyter's connection takes no much larger message

function chat(context) {
  const { send } = context;
  const model = h("select", { "aria-label": "Model", onchange: () => send("choose", { model: model.value }) });
  const total = h("span", { class: "tetrate-quiet tetrate-number tetrate-total" });
  const fresh = button("New", () => send("new"), { class: "tetrate-button tetrate-plain", title: "Start a new conversation; this one is kept" });
  const earlier = h("select", { "aria-label": "Earlier conversations", hidden: true, onchange: () => send("back", { branch: earlier.value }) });
  const list = h("div", { class: "tetrate-list" });
  const empty = h("p", { class: "tetrate-quiet tetrate-empty" },
    "Ask below. What you ask in cells with %%tetrate shows here, too.");
  const log = h("div", { class: "tetrate-log", role: "region", tabindex: "0", "aria-label": "Conversation" }, empty, list);
  const box = composer((...parts) => { mine = true; return send(...parts); });
  const newer = button("New answer ↓", () => { down(); box.node.querySelector("textarea").focus({ preventScroll: true }); }, { hidden: true });
  const hint = h("p", { class: "tetrate-quiet tetrate-hint", role: "status", hidden: true });
  const settings = parameters(send, box.tell);
  const node = h("div", { class: "tetrate-chat" },
    h("div", { class: "tetrate-head" }, h("label", {}, h("span", {}, "Model"), model), total, earlier, fresh),
    log, h("div", { class: "tetrate-newer" }, newer), hint, box.node, settings.node);
  let bottom = true;
  let used = false;
  let mine = false; // what is asked here is seen, wherever one was reading
  let count = 0;
  let height = 0;

  function isDown() {
    return log.scrollHeight - log.scrollTop - log.clientHeight < 24;
  }

  function down() {
    log.scrollTop = log.scrollHeight;
    show(newer, false);
  }

  // Where the box to ask in is in sight and used, it stays in sight while the answer above it grows.
  function atHand() {
    if (!node.contains(document.activeElement)) return false;
    const bottom = Math.min(node.closest(".jp-WindowedPanel-outer")?.getBoundingClientRect().bottom ?? Infinity, window.innerHeight);
    const place = box.node.getBoundingClientRect();
    return place.top < bottom && place.bottom <= bottom + 1;
  }

  log.addEventListener("scroll", () => { if (isDown()) show(newer, false); }, { passive: true });

  return {
    node,
    list,
    before() { bottom = isDown(); height = log.scrollHeight; used = atHand(); },
    after() {
      show(empty, !list.childElementCount);
      const more = list.childElementCount > count;
      count = list.childElementCount;
      if (bottom || (mine && more)) down();
      else if (log.scrollHeight > height) show(newer, !isDown());
      if (used || (mine && more)) box.node.scrollIntoView({ block: "nearest" });
      if (more) mine = false;
    },
    fields(changed, all) {
      if ("models" in changed || "model" in changed) options(model, all);
      if ("total" in changed) setText(total, figures(all.total));
      if ("hint" in changed) { setText(hint, all.hint); show(hint, Boolean(all.hint)); }
      if ("variables" in changed) box.variables(all.variables);
      if ("busy" in changed) fresh.disabled = earlier.disabled = all.busy;
      if ("earlier" in changed) {
        earlier.replaceChildren(h("option", { value: "" }, "Earlier"), ...all.earlier.map(([id, first]) => h("option", { value: id }, first)));
        show(earlier, all.earlier.length > 0);
      }
      settings.fields(changed, all);
    },
    item: () => message(context),
    keep: (items) => ({ ...keep(items), model: context.told.model }),
    take(kept) { if (kept.exchanges.length || kept.model) send("take", kept); },
  };
}

// What a new kernel is given back of the conversation: the newest of it, as much as Jupyter's connection takes.
function keep(items) {
  const exchanges = [];
  let room = LARGEST / 4; // characters, of up to four bytes
  for (const { fields, body } of items.reverse()) {
    const answer = fields.source || body.innerText;
    if (!answer) continue;
    room -= fields.prompt.length + (fields.sent ?? "").length + answer.length;
    if (room < 0) break;
    exchanges.unshift([fields.prompt, fields.sent ?? "", answer, ["running", "partial"].includes(fields.state)]);
  }
  return { exchanges, left: items.length - exchanges.length };
}

function options(select, { models, model }) {
  const made = models.map(([provider, ids]) =>
    h("optgroup", { label: provider }, ...ids.map((id) => h("option", { value: id }, id))));
  const known = models.some(([, ids]) => ids.includes(model));
  if (!known) made.unshift(h("option", { value: model ?? "" }, model ?? "chosen at the first question"));
  select.replaceChildren(...made);
  select.value = model ?? "";
}

// --- one question and its answer -------------------------------------------------------------------------------------

function message(context) {
  const { send, copy, announce } = context;
  const plain = { class: "tetrate-button tetrate-plain" };
  const prompt = h("div", { class: "tetrate-prompt", dir: "auto" });
  const sent = h("pre", { class: "tetrate-sent", dir: "auto", tabindex: "0", "aria-label": "as it was sent" });
  const whole = h("details", { class: "tetrate-quiet", hidden: true }, h("summary", {}, "With its variables, as sent"), sent);
  const marks = h("p", { class: "tetrate-quiet tetrate-marks", hidden: true });
  const more = button("Show all", () => unfold(true), { ...plain, hidden: true, "aria-expanded": "false" });
  const thoughts = h("div", { class: "tetrate-body" });
  const reasoning = h("details", { class: "tetrate-reasoning", hidden: true }, h("summary", {}, "Reasoning"), thoughts);
  const tools = h("details", { class: "tetrate-reasoning", hidden: true });
  const body = h("div", { class: "tetrate-body" });
  const status = h("p", { class: "tetrate-quiet tetrate-status", hidden: true });
  const notes = h("div", {});
  const foot = h("span", { class: "tetrate-quiet tetrate-number" });
  const item = { body };
  const act = (name, parts) => send(name, { key: item.self().key, ...parts });

  const copied = saying("Copy", "Copied", () => copy(item.self().fields.source), { ...plain, title: "Copy the answer as Markdown", "data-offline": "true" });
  const stop = button("Stop", () => act("stop"), { class: "tetrate-button" });
  const retry = button("Retry", () => act("retry"), plain);
  const edit = button("Edit", () => editing(true), { ...plain, title: "Ask it differently; this version is kept" });
  const dismiss = button("Dismiss", () => act("dismiss"), plain);
  const back = button("‹", () => act("way", { step: -1 }), { ...plain, "aria-label": "Version before" });
  const on = button("›", () => act("way", { step: 1 }), { ...plain, "aria-label": "Version after" });
  const place = h("span", { class: "tetrate-number" });
  const ways = h("span", { class: "tetrate-ways", role: "group", "aria-label": "Versions", hidden: true }, back, place, on);
  const buttons = h("span", { class: "tetrate-buttons" }, stop, copied, retry, edit, dismiss, ways);

  const changed = h("textarea", { "aria-label": "Edit the question", rows: "3" });
  const form = h("form", { class: "tetrate-edit", hidden: true, onsubmit: resend }, changed,
    h("div", { class: "tetrate-buttons" },
      h("button", { type: "submit", class: "tetrate-button tetrate-main" }, "Send"),
      button("Cancel", () => editing(false))));
  changed.addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.isComposing) editing(false); });
  changed.addEventListener("input", () => grow(changed));
  sends(changed, resend, swapped.get);

  function editing(wanted) {
    if (wanted) changed.value = item.self().fields.prompt;
    form.hidden = !wanted;
    prompt.hidden = wanted;
    (wanted ? changed : edit).focus();
    if (wanted) grow(changed);
  }

  async function resend(event) {
    event.preventDefault();
    if (await act("edit", { text: changed.value }) && form.isConnected) editing(false);
  }

  function unfold(wanted) {
    prompt.classList.toggle("tetrate-folded", !wanted);
    setText(more, wanted ? "Show less" : "Show all");
    more.setAttribute("aria-expanded", String(wanted));
    more.onclick = () => unfold(!wanted);
  }

  function update(now, all) {
    if ("prompt" in now) {
      setText(prompt, all.prompt);
      const long = all.prompt.length > 600 || all.prompt.split("\n").length > 12;
      more.hidden = !long;
      unfold(!long);
    }
    if ("sent" in now) { setText(sent, all.sent); show(whole, Boolean(all.sent)); }
    const asides = [...(all.origin === "cell" ? ["asked in a cell"] : []), ...all.images];
    setText(marks, asides.join(" · "));
    show(marks, asides.length > 0);
    if ("reasoning" in now) { thoughts.innerHTML = all.reasoning; show(reasoning, Boolean(all.reasoning)); }
    if ("tools" in now) called(tools, all.tools);
    if ("notes" in now) notes.replaceChildren(...all.notes.map((note) => h("p", { class: "tetrate-notice", dir: "auto" }, note)));
    if ("foot" in now) setText(foot, figures(all.foot));
    setText(status, all.status);
    show(status, all.state === "running");
    const running = all.state === "running";
    if ("state" in now && !running) finished(all);
    show(copied, Boolean(all.source));
    show(retry, !running);
    show(edit, !running);
    show(dismiss, all.state === "failed");
    show(stop, running && all.can_stop);
    setText(place, `${all.way[0] + 1} of ${all.way[1]}`);
    show(ways, all.way[1] > 1);
    for (const each of [back, on]) each.disabled = false;
    item.node.setAttribute("aria-busy", String(running));
  }

  function finished(all) {
    withButtons(body, context);
    if (item.was !== "running") return;
    setTimeout(() => announce(all.state === "failed" ? all.notes.join(" ") : body.textContent.slice(0, 1000))); // its text follows
  }

  item.node = h("article", { class: "tetrate-message", "aria-label": "Question and answer" },
    prompt, more, form, marks, whole, reasoning, tools, body, notes, status, h("div", { class: "tetrate-foot" }, foot, buttons));
  return Object.assign(item, {
    grown() { if (item.self().fields.state !== "running") withButtons(body, context); },
    update(now, all) {
      update(now, all);
      item.was = all.state;
    },
  });
}

function called(details, tools) {
  const rows = tools.map(([name, given, result]) =>
    h("div", {}, h("code", {}, `${name}(${given})`), h("pre", { class: "tetrate-sent", tabindex: "0", "aria-label": "result" }, result)));
  details.replaceChildren(h("summary", {}, `Tools: ${tools.map(([name]) => name).join(", ")}`), ...rows);
  show(details, tools.length > 0);
}

// --- the box to ask in -----------------------------------------------------------------------------------------------

function grow(area) {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, 320)}px`;
}

function composer(send) {
  const files = [];
  const text = h("textarea", { class: "tetrate-ask", rows: "2", "aria-label": "Ask", "data-home": "true",
    placeholder: "Ask. {name} puts in a variable." });
  const chips = h("div", { class: "tetrate-chips", hidden: true });
  const told = h("p", { class: "tetrate-problem", role: "alert", hidden: true });
  const file = h("input", { type: "file", accept: "image/*", multiple: true, hidden: true, onchange: () => add(file.files) });
  const variable = h("select", { "aria-label": "Insert a variable", onchange: insert }, h("option", { value: "" }, "Insert variable"));
  const go = h("button", { type: "submit", class: "tetrate-button tetrate-main" }, "Send");
  const keys = h("span", { class: "tetrate-quiet tetrate-keys" });
  const node = h("form", { class: "tetrate-composer", onsubmit: ask }, text, chips, told,
    h("div", { class: "tetrate-row" },
      button("Attach image", () => file.click(), { class: "tetrate-button tetrate-plain" }), file, variable,
      keys, go));

  text.addEventListener("input", () => grow(text));
  text.addEventListener("focus", tell); // another panel may have changed it
  tell();
  sends(text, ask, swapped.get);
  text.addEventListener("paste", (event) => {
    const images = [...(event.clipboardData?.files ?? [])].filter((each) => each.type.startsWith("image/"));
    if (images.length) { event.preventDefault(); add(images); }
  });

  async function ask(event) {
    event.preventDefault();
    if (go.disabled || (!text.value.trim() && !files.length)) return;
    go.disabled = true;
    const sent = text.value;
    const along = [...files];
    const data = await Promise.all(along.map((each) => each.arrayBuffer()));
    const done = await send("ask", { text: sent, names: along.map((each) => each.name) }, data);
    go.disabled = false;
    if (!done) return; // what was refused stays in the box
    if (text.value.startsWith(sent)) text.value = text.value.slice(sent.length); // and what was typed meanwhile
    grow(text);
    files.splice(0, files.length, ...files.filter((each) => !along.includes(each)));
    attached();
  }

  function tell() {
    setText(keys, swapped.get() ? "Shift + Enter sends" : "Enter sends, Shift + Enter: new line");
  }

  function add(chosen) {
    const large = [...chosen].filter((each) => each.size > LARGEST);
    files.push(...[...chosen].filter((each) => each.size <= LARGEST));
    setText(told, large.length ? `${large[0].name} is larger than 8 MB. Next: send it from a cell, %%tetrate --image PATH.` : "");
    show(told, large.length > 0);
    file.value = "";
    attached();
  }

  function attached() {
    chips.replaceChildren(...files.map((each, place) => h("span", { class: "tetrate-chip" }, h("span", {}, each.name),
      button("×", () => { files.splice(place, 1); attached(); text.focus(); },
        { class: "tetrate-button tetrate-plain", "aria-label": `Remove ${each.name}` }))));
    show(chips, files.length > 0);
  }

  function insert() {
    if (!variable.value) return;
    text.setRangeText(`{${variable.value}}`, text.selectionStart, text.selectionEnd, "end");
    variable.value = "";
    text.focus();
    grow(text);
  }

  return {
    node,
    tell,
    variables(found) {
      show(variable, found.length > 0);
      variable.replaceChildren(h("option", { value: "" }, "Insert variable"),
        ...found.map(([name, kind]) => h("option", { value: name }, `${name} (${kind})`)));
    },
  };
}

// --- parameters ------------------------------------------------------------------------------------------------------

function parameters(send, tell) {
  const field = (name, properties) => h("input", { type: "text", ...properties, onchange: (e) => send("set", { name, value: e.target.value }) });
  const inputs = {
    temperature: field("temperature", { inputmode: "decimal", placeholder: "provider's", size: "8" }),
    max_tokens: field("max_tokens", { inputmode: "numeric", placeholder: "provider's", size: "8" }),
  };
  const effort = h("select", { onchange: () => send("set", { name: "effort", value: effort.value }) });
  const effortLabel = h("label", {}, h("span", {}, "Effort"), effort);
  const system = h("textarea", { rows: "2", onchange: () => send("set", { name: "system", value: system.value }) });
  const line = h("input", { type: "checkbox", onchange: () => { swapped.set(line.checked); tell(); } });
  const node = h("details", { class: "tetrate-parameters", ontoggle: () => { line.checked = swapped.get(); } }, h("summary", {}, "Parameters"),
    h("div", { class: "tetrate-row" },
      h("label", {}, h("span", {}, "Temperature"), inputs.temperature),
      h("label", {}, h("span", {}, "Output cap, tokens"), inputs.max_tokens),
      effortLabel),
    h("label", { class: "tetrate-system" }, h("span", {}, "System prompt"), system),
    h("label", { class: "tetrate-row" }, line, h("span", {}, "Enter makes a line, Shift + Enter sends")));

  return {
    node,
    fields(changed, all) {
      if ("parameters" in changed || "efforts" in changed) {
        for (const [name, input] of Object.entries(inputs)) input.value = all.parameters[name] ?? "";
        const known = [...new Set([...all.efforts, ...(all.parameters.effort ? [all.parameters.effort] : [])])];
        effort.replaceChildren(h("option", { value: "" }, "provider's"), ...known.map((each) => h("option", { value: each }, each)));
        effort.value = all.parameters.effort ?? "";
        show(effortLabel, known.length > 0);
      }
      if ("system" in changed && document.activeElement !== system) system.value = all.system;
    },
  };
}

export default { render: (context) => panel(context, "Chat", chat) };
