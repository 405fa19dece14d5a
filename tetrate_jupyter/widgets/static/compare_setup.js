// What to compare: the models and what is special about each, the prompts, the parameters of all.

const TRIES = [
  ["Write a function", "Write a Python function that tells whether a number is prime."],
  ["Explain a join", "Explain a left join with a small example."],
  ["Turn text into JSON", "Turn this into JSON: Ada Lovelace, born 1815, wrote the first program."],
  ["Tell a joke", "Tell me a joke about notebooks."],
  ["Translate", "Translate into German and keep the tone: Thanks, that made my day!"],
];

function setup(context) {
  const { send } = context;
  const quiet = { class: "tetrate-button tetrate-plain" };
  let all = {};
  let opened = -1; // the column whose own parameters are shown

  const meant = () => (all.models.length ? all.models : (all.trios[0]?.[1] ?? []).map(([id]) => id)); // what would be asked
  const chips = h("ul", { class: "tetrate-picked", "aria-label": "Models to compare" });
  const add = modelMenu(context, {
    label: "Add a model",
    several: true,
    most: () => all.most,
    picked: meant,
    done: (models) => send("mean", { models }),
  });
  const again = worded("compare", "Same model twice (shows chance)", twice, {
    class: "tetrate-button",
    title: "Asks the first model once more. How far it is from itself is chance, in every other difference too.",
  });
  const own = parameters(send, false, () => opened);
  const whose = h("span", {});
  const close = button("Done", () => {
    const last = opened;
    open(-1);
    chips.querySelectorAll(".tetrate-name")[last]?.focus();
  });
  const special = h(
    "fieldset",
    { class: "tetrate-special", hidden: true },
    h("legend", {}, "Only for ", whose),
    own.node,
    close,
  );

  const text = h("textarea", { rows: "2", "aria-label": "Prompt", spellcheck: "true" });
  const names = naming(context, text);
  const several = h("input", { type: "checkbox", onchange: () => dismiss() });
  const divider = h("span", {});
  let divides = false; // whether a line of the text divides it
  const holds = () => divided(text.value, all.separator);
  const common = parameters(send, true, () => null);
  const others = h("p", { class: "tetrate-quiet", hidden: true });
  const go = h("button", { type: "submit", class: "tetrate-button tetrate-main" }, "Compare");
  const cost = worded("usage", "Estimate cost", () => ask(true), {
    class: "tetrate-button",
    title: "How many calls it makes and what they may cost; asks nothing",
  });
  const next = worded("plus", "Another prompt", () => { // the line between them is what Parameters tells of
    several.checked = true;
    const before = text.value.trimEnd();
    text.value = before ? `${before}\n${all.separator}\n` : "";
    fit();
    dismiss();
    text.focus();
  }, { class: "tetrate-button", title: "Ask several prompts, each of every model" });
  const blind = h("input", { type: "checkbox", onchange: () => send("blind", { wanted: blind.checked }) });
  const sentence = h("span", {});
  const start = button("Ask", () => send("start"), { class: "tetrate-button tetrate-main" });
  const confirm = h(
    "div",
    { class: "tetrate-row tetrate-confirm", role: "status", hidden: true },
    sentence,
    start,
    button("Not now", () => send("dismiss")),
  );
  const ways = h("div", { class: "tetrate-row tetrate-helping", role: "group", "aria-label": "Ways on", hidden: true });
  const trios = h("div", { class: "tetrate-trios", role: "group", "aria-label": "Start with these" });
  const starts = h("div", { class: "tetrate-starts" }, h("p", { class: "tetrate-quiet" }, "Start with three"), trios);
  const tries = h(
    "div",
    { class: "tetrate-tries" },
    h("span", { class: "tetrate-quiet" }, "Try"),
    ...TRIES.map(([name, prompt]) =>
      button(name, () => {
        text.value = prompt;
        fit();
        dismiss();
        text.focus();
      }, { class: "tetrate-button tetrate-try", title: prompt })
    ),
  );
  const node = h(
    "form",
    {
      class: "tetrate-setup",
      onsubmit: (event) => {
        event.preventDefault();
        ask(false);
      },
    },
    starts,
    h("div", { class: "tetrate-row" }, chips, add.node, again),
    special,
    text,
    names,
    tries,
    h("details", {}, h("summary", {}, "Parameters"), common.node, h("label", {}, several, divider), others),
    h(
      "div",
      { class: "tetrate-row" },
      next,
      h("label", { title: "Hide names, order, times and costs until you reveal them" }, blind, h("span", {}, "Blind")),
      h("span", { class: "tetrate-quiet tetrate-keys" }, "Ctrl or Cmd + Enter compares"),
      cost,
      go,
    ),
    confirm,
    ways,
  );

  sends(text, () => ask(false));
  node.addEventListener("keydown", (event) => { // in a field Enter means its value; asking costs
    if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    if (event.target.type === "text") event.target.dispatchEvent(new Event("change"));
  });
  text.addEventListener("input", () => {
    if (holds() && !divides) several.checked = true; // typed here it means what it means in a cell
    divides = holds();
    fit();
    dismiss();
  });

  function ask(forecast) {
    if (!all.busy) send("run", { text: text.value, several: several.checked, forecast });
  }

  // After a refusal for the cost: one click sets what helps and asks; the refusal itself stands below the panel.
  function helping([words, name, value]) {
    return button(words, async () => {
      text.focus();
      if (await send("set", { name, value })) ask(false);
    });
  }

  // What would be asked becomes what was chosen: columns that can be changed.
  async function choose() {
    if (!all.picked.length && meant().length) await send("mean", { models: meant() });
  }

  async function twice() {
    await choose();
    await send("again");
  }

  // What was forecast is no longer what would be asked.
  function dismiss() {
    if (all.confirm) send("dismiss");
  }

  // What is asked where nothing is chosen is the first of them.
  function suggest(told) {
    const ids = told.picked.map(([name]) => name).join();
    trios.replaceChildren(...told.trios.map(([name, models, price], place) => {
      const chosen = ids ? ids === models.map(([id]) => id).join() : place === 0;
      return h(
        "button",
        {
          type: "button",
          class: "tetrate-button tetrate-trio",
          "aria-pressed": String(chosen),
          onclick: () => send("trio", { models: models.map(([id]) => id) }),
        },
        h(
          "span",
          { class: "tetrate-title" },
          h("span", { class: "tetrate-strong tetrate-grow" }, name),
          chosen ? icon("check") : "",
        ),
        ...models.map(([id, provider]) =>
          h(
            "span",
            { class: "tetrate-title" },
            mark(provider || id),
            h("span", { class: "tetrate-mono tetrate-clip", translate: "no" }, shortened(id, 30)),
          )
        ),
        h("span", { class: "tetrate-quiet" }, `≈ ${price} per 1,000 short questions`),
      );
    }));
  }

  function fit() {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, 320)}px`;
  }

  function open(place) {
    opened = place;
    for (const [number, each] of chips.querySelectorAll(".tetrate-name").entries()) {
      each.setAttribute("aria-expanded", String(number === place));
    }
    const pick = all.picked[place];
    show(special, Boolean(pick));
    if (pick) {
      setText(whose, pick[0]);
      own.fields(pick[2]);
    }
  }

  function chip([name, about], place) {
    const label = button("", async () => {
      await choose();
      open(opened === place ? -1 : place);
    }, {
      class: "tetrate-name",
      "aria-expanded": "false",
      "aria-label": name,
      title: `${name}\nParameters for this column only`,
    });
    label.append(idNode(name)); // its end is never cut: it tells models apart
    const remove = button("×", async () => {
      await choose();
      if (opened === place) open(-1);
      else if (place < opened) opened -= 1;
      send("drop", { place });
      text.focus();
    }, { ...quiet, "aria-label": `Remove ${name}` });
    return h(
      "li",
      { class: "tetrate-chip" },
      label,
      about ? h("span", { class: "tetrate-quiet tetrate-about" }, about) : null,
      remove,
    );
  }

  function fields(changed, told) {
    all = told;
    add.fields(changed, told);
    if ("picked" in changed || ("trios" in changed && !told.picked.length)) {
      const focused = [...chips.querySelectorAll(".tetrate-name")].indexOf(document.activeElement);
      const shown = told.picked.length ? told.picked : meant().map((id) => [id, ""]);
      chips.replaceChildren(...shown.map(chip));
      if (!shown.length) {
        chips.append(h("li", { class: "tetrate-quiet" }, "the session's model and two neighbours"));
      }
      chips.setAttribute("aria-label", told.picked.length ? "Models to compare" : "Suggested models");
      open(Math.min(opened, told.picked.length - 1));
      if (focused >= 0) chips.querySelectorAll(".tetrate-name")[focused]?.focus();
    }
    if ("trios" in changed || "picked" in changed) {
      const focused = [...trios.children].indexOf(document.activeElement);
      suggest(told);
      if (focused >= 0) trios.children[focused]?.focus();
    }
    show(starts, !told.prompts && told.trios.length > 0);
    show(tries, !told.prompts);
    show(again, told.picked.length < told.most);
    if ("prompt" in changed && document.activeElement !== text) {
      text.value = told.prompt;
      divides = holds();
      fit();
    }
    text.placeholder = told.given
      ? `${told.given.toLocaleString("en")} prompts from Python; write here to ask something else`
      : "What do you want to compare? Name {variables} or @files.";
    if ("several" in changed) several.checked = told.several;
    setText(divider, `Several prompts, with a line of ${told.separator} between them`);
    blind.checked = told.blind;
    if ("parameters" in changed) common.fields(told.parameters);
    setText(others, `As given in code: ${told.others.join(", ")}`);
    show(others, told.others.length > 0);
    setText(go, told.busy ? "Preparing ..." : told.prompts ? "Compare again" : "Compare");
    go.setAttribute("aria-disabled", String(told.busy));
    go.classList.toggle("tetrate-main", !told.confirm); // one button is the next step
    setText(sentence, told.confirm);
    setText(start, told.calls === 1 ? "Ask" : `Ask all ${told.calls.toLocaleString("en")}`);
    show(confirm, Boolean(told.confirm));
    if ("ways" in changed) {
      ways.replaceChildren(
        h("span", { class: "tetrate-quiet" }, "More than its limit. Nothing was asked."),
        ...told.ways.map(helping),
      );
    }
    show(ways, told.ways.length > 0 && Boolean(told.problem));
  }

  return { node, blind, text, fields, ask, twice };
}

// Whether a line of the text divides it into prompts: none that stands in a code fence (compare/setup.py has the same rule).
function divided(text, separator) {
  const lines = text.split("\n").map((line) => line.trim());
  for (let at = 0; at < lines.length; at++) {
    const fence = lines[at].match(/^(`{3,}(?=[^`]*$)|~{3,})/)?.[1] ?? "";
    const closes = (line) => line.length >= fence.length && line === fence[0].repeat(line.length);
    const end = fence ? lines.findIndex((line, place) => place > at && closes(line)) : -1;
    if (end > 0) at = end;
    else if (lines[at] === separator) return true;
  }
  return false;
}

// The fields of all columns, with those of the whole run; or of one column, at the place that `where` gives.
function parameters(send, whole, where) {
  const set = (name) => (event) =>
    send("set", { name, value: event.target.value, ...(whole ? {} : { place: where() }) });
  const hint = whole ? "default" : "as all";
  const input = (name, properties) =>
    h("input", {
      type: "text",
      size: "7",
      placeholder: hint,
      name,
      spellcheck: "false",
      onchange: set(name),
      ...properties,
    });
  const inputs = {
    temperature: input("temperature", { inputmode: "decimal" }),
    max_tokens: input("max_tokens", { inputmode: "numeric" }),
    effort: input("effort", {}),
    ...(whole
      ? {
        repeats: input("repeats", { inputmode: "numeric", placeholder: "1" }),
        max_cost: input("max_cost", { inputmode: "decimal", placeholder: "no limit" }),
      }
      : {}),
    system: h("textarea", {
      rows: "1",
      name: "system",
      spellcheck: "true",
      placeholder: whole ? "none" : "as all",
      onchange: set("system"),
    }),
  };
  const names = {
    temperature: "Temperature",
    max_tokens: "Output cap",
    effort: "Effort",
    repeats: "Repeats",
    max_cost: "Max cost, $",
    system: "System prompt",
  };
  const node = h(
    "div",
    { class: "tetrate-row tetrate-fields" },
    ...Object.entries(inputs).map(([name, each]) =>
      h("label", { class: name === "system" ? "tetrate-wide" : null }, h("span", {}, names[name]), each)
    ),
  );
  return {
    node,
    fields(values) {
      for (const [name, each] of Object.entries(inputs)) {
        if (document.activeElement !== each) each.value = values[name] ?? "";
      }
    },
  };
}
