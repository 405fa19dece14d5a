// The box to ask in: text, what goes along, Send or Stop, and the parameters.

const SETTLING = 400; // milliseconds after Stop has become Send in which the mouse meant Stop

function grow(area) {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + area.offsetHeight - area.clientHeight, 220)}px`;
}

function composer(context, send) {
  const files = [];
  const text = h("textarea", {
    class: "tetrate-ask",
    rows: "1",
    "aria-label": "Ask",
    "data-home": "true",
    spellcheck: "true",
  });
  const names = naming(context, text);
  const chips = h("div", { class: "tetrate-chips", hidden: true });
  const told = h("p", { class: "tetrate-problem", role: "alert", hidden: true });
  const file = h("input", {
    type: "file",
    accept: "image/*",
    multiple: true,
    hidden: true,
    onchange: () => add(file.files),
  });
  const variable = h(
    "button",
    {
      type: "button",
      class: "tetrate-button tetrate-plain tetrate-insert",
      "aria-label": "Insert a variable or cell",
      title: "Insert a variable or cell",
      hidden: true,
    },
    h("span", {}, "Insert"),
    icon("down"),
  );
  let offered = { found: /** @type {string[][]} */ ([]), named: /** @type {string[][]} */ ([]) };
  const inserts = menu(variable, "Insert", () => [
    ...group(
      "Variables",
      offered.found.map(([name, kind]) => ["braces", `${name} (${kind})`, () => insert(`{${name}}`)]),
    ),
    ...group("Cells", offered.named.map(([word, what]) => ["at", `${word} (${what})`, () => insert(word)])),
  ]);
  const go = h(
    "button",
    { type: "submit", class: "tetrate-button tetrate-main", onclick: settled },
    icon("send"),
    h("span", {}, "Send"),
  );
  const stop = h(
    "button",
    {
      type: "button",
      class: "tetrate-button",
      onclick: (event) => {
        if (event.detail > 1) return;
        context.send("stop");
        handOn();
      },
    },
    icon("stop"),
    h("span", {}, "Stop"),
  );
  const keys = h("span", { class: "tetrate-quiet tetrate-keys" });
  const settings = parameters(context.send, tell);
  const node = h(
    "form",
    { class: "tetrate-composer", onsubmit: ask },
    chips,
    text,
    names,
    told,
    h(
      "div",
      { class: "tetrate-row" },
      iconButton("image", "Attach image", () => file.click()),
      file,
      settings.node,
      variable,
      inserts.node,
      keys,
      h("span", { class: "tetrate-go" }, go, stop),
    ),
  );
  let busy = false;
  let since = 0;
  let handed = 0;

  stop.hidden = true;
  text.addEventListener("input", () => {
    handed = 0; // who has typed since means what he presses
    grow(text);
  });
  text.addEventListener("focus", tell); // another panel may have changed it
  tell();
  sends(text, ask, swapped.get);
  text.addEventListener("paste", (event) => {
    const images = [...(event.clipboardData?.files ?? [])].filter((each) => each.type.startsWith("image/"));
    if (images.length) {
      event.preventDefault();
      add(images);
    }
  });

  // After Stop one writes on: what is typed at a button goes nowhere.
  function handOn() {
    handed = Date.now();
    text.focus({ preventScroll: true });
  }

  // Send and Stop have one place: who presses Stop as the answer ends doesn't mean to send what was drafted.
  function settled(event) {
    if (event.detail && (event.detail > 1 || Date.now() - since < SETTLING)) event.preventDefault();
  }

  async function ask(event) {
    event.preventDefault();
    if (event.type === "keydown" && Date.now() - handed < SETTLING) return; // that Enter meant Stop
    if (busy && text.value.trim()) setText(keys, "Send it when this answer has ended");
    if (busy || go.disabled || (!text.value.trim() && !files.length)) return;
    if (go === document.activeElement) text.focus({ preventScroll: true }); // it can't hold it while it waits
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
    const said = swapped.get() ? "Shift + Enter sends" : "Enter sends, Shift + Enter: new line";
    setText(keys, busy ? "" : said);
    text.placeholder = busy ? "Write the next question meanwhile" : "Ask. Name {variables} or @files.";
  }

  function add(chosen) {
    const large = [...chosen].filter((each) => each.size > LARGEST);
    files.push(...[...chosen].filter((each) => each.size <= LARGEST));
    setText(
      told,
      large.length ? `${large[0].name} is larger than 8 MB. Next: send it from a cell, %%tetrate --image PATH.` : "",
    );
    show(told, large.length > 0);
    file.value = "";
    attached();
  }

  function attached() {
    for (const each of chips.querySelectorAll("img")) URL.revokeObjectURL(each.src);
    chips.replaceChildren(
      ...files.map((each, place) =>
        h(
          "span",
          { class: "tetrate-chip" },
          h("img", { src: URL.createObjectURL(each), alt: "", class: "tetrate-small" }),
          h("span", {}, each.name),
          iconButton("close", `Remove ${each.name}`, () => {
            files.splice(place, 1);
            attached();
            text.focus();
          }),
        )
      ),
    );
    show(chips, files.length > 0);
  }

  function group(label, entries) {
    return entries.length ? [[null, label], ...entries] : [];
  }

  function insert(words) {
    text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
    text.focus();
    grow(text);
  }

  return {
    node,
    text,
    settings,
    fill(words, focus = true) {
      text.value = words;
      grow(text);
      if (focus) text.focus({ preventScroll: true });
    },
    writing(wanted) {
      if (busy === wanted) return;
      busy = wanted;
      since = Date.now();
      const focused = (wanted ? go : stop) === document.activeElement;
      go.hidden = wanted;
      stop.hidden = !wanted;
      if (focused && wanted) stop.focus({ preventScroll: true });
      else if (focused) handOn();
      tell();
    },
    variables(found, named) {
      offered = { found, named };
      show(variable, found.length + named.length > 0);
    },
  };
}

// --- parameters ------------------------------------------------------------------------------------------------------

function parameters(send, tell) {
  const field = (name, properties) =>
    h("input", {
      type: "text",
      spellcheck: "false",
      ...properties,
      onchange: (e) => send("set", { name, value: e.target.value }),
    });
  const inputs = {
    temperature: field("temperature", { inputmode: "decimal", placeholder: "provider's", size: "8" }),
    max_tokens: field("max_tokens", { inputmode: "numeric", placeholder: "provider's", size: "8" }),
  };
  const effort = h("select", { onchange: () => send("set", { name: "effort", value: effort.value }) });
  const effortLabel = h("label", {}, h("span", {}, "Effort"), effort);
  const system = h("textarea", {
    rows: "3",
    spellcheck: "true",
    onchange: () => send("set", { name: "system", value: system.value }),
  });
  const line = h("input", {
    type: "checkbox",
    onchange: () => {
      swapped.set(line.checked);
      tell();
    },
  });
  const opener = iconButton("sliders", "Parameters");
  const content = [
    h("label", {}, h("span", {}, "Temperature"), inputs.temperature),
    h("label", {}, h("span", {}, "Output cap, tokens"), inputs.max_tokens),
    effortLabel,
    h("label", { class: "tetrate-system" }, h("span", {}, "System prompt"), system),
    h("label", { class: "tetrate-row" }, line, h("span", {}, "Enter makes a line, Shift + Enter sends")),
  ];
  const pop = popover(opener, () => {
    line.checked = swapped.get();
    return content;
  }, { class: "tetrate-pop tetrate-parameters", role: "dialog", "aria-label": "Parameters" });

  return {
    node: h("span", {}, opener, pop.node),
    open(where) {
      opener.click();
      if (where) system.focus({ preventScroll: true });
    },
    fields(changed, all) {
      if ("parameters" in changed || "efforts" in changed) {
        for (const [name, input] of Object.entries(inputs)) input.value = all.parameters[name] ?? "";
        const known = [...new Set([...all.efforts, ...(all.parameters.effort ? [all.parameters.effort] : [])])];
        effort.replaceChildren(
          h("option", { value: "" }, "provider's"),
          ...known.map((each) => h("option", { value: each }, each)),
        );
        effort.value = all.parameters.effort ?? "";
        show(effortLabel, known.length > 0);
      }
      if ("system" in changed && document.activeElement !== system) system.value = all.system;
      opener.setAttribute(
        "aria-pressed",
        String(Boolean(all.system) || Object.values(all.parameters ?? {}).some((each) => each !== null)),
      );
    },
  };
}
