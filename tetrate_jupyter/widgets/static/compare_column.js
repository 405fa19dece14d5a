// What the comparison shows: a column for each model, or a row for each prompt.

const UNDOES = "Takes it back: the conversation and the model of before are in use again";
const VOTE_NAMES = [["good", "good", "Good"], ["poor", "poor", "Poor"], ["best", "star", "Best"]]; // value, icon, word

function column(context, { isExpanded, opened, waits }) {
  const { send } = context;
  const quiet = { class: "tetrate-button tetrate-plain" };
  const letter = h("span", { class: "tetrate-mark tetrate-letter", hidden: true });
  const of = h("span", {});
  const label = h("h4", { class: "tetrate-label tetrate-clip", dir: "ltr", translate: "no" });
  const about = h("p", { class: "tetrate-quiet tetrate-own tetrate-clip", hidden: true });
  const status = h("p", { class: "tetrate-quiet tetrate-number tetrate-status" });
  const thoughts = h("div", { class: "tetrate-body" });
  const reasoning = h("details", { class: "tetrate-reasoning", hidden: true }, h("summary", {}, "Reasoning"), thoughts);
  const body = h("div", { class: "tetrate-body" });
  const error = h("div", { class: "tetrate-failed", hidden: true });
  const notes = aside();
  const item = { body };
  const act = (name) => () => send(name, { key: item.self().key });
  const stop = iconButton("stop", "Stop", act("stop"));
  const retry = iconButton("retry", "Retry", () => {
    if (!wait.left()) act("retry")();
  }, { class: "tetrate-button tetrate-plain tetrate-icon tetrate-number tetrate-retry" });
  retry.append(h("span", {}));
  const wait = countdown(retry, "Retry", () => {}, { name: "", each: count }); // the leaderboard says that it is over
  const copied = iconButton("copy", "Copy", async () => {
    await context.copy(item.self().fields.source);
    context.announce("Copied");
    copied.replaceChildren(icon("check"));
    setTimeout(() => copied.replaceChildren(icon("copy")), 1500);
  }, { "data-offline": "true" });
  const more = iconButton("more", "More", null);
  const pop = menu(more, "This answer", () =>
    [
      isGoing(item.self().fields) ? undefined : ["retry", "Ask again", act("retry"), seconds()],
      ["swap", "Compare the others with this one", () => send("show", { how: "differences", base: item.self().key })],
      ["close", "Remove", act("remove")],
    ].filter(Boolean));
  const votes = VOTE_NAMES.map(([value, sign, word]) => {
    const vote = () => send("vote", { key: item.self().key, vote: item.self().fields.vote === value ? null : value });
    return worded(sign, word, vote, { title: null }); // a word that has no room shows under the mouse and at the focus
  });
  const early = h("span", { class: "tetrate-quiet", hidden: true }, "early");
  const use = h("button", {
    type: "button",
    class: "tetrate-button tetrate-plain tetrate-use",
    onclick: act("continue"),
  });
  item.node = h(
    "article",
    { class: "tetrate-column", role: "listitem" },
    h(
      "header",
      {},
      h(
        "div",
        { class: "tetrate-title" },
        letter,
        of,
        label,
        h("span", { class: "tetrate-grow" }),
        stop,
        copied,
        retry,
        more,
      ),
      about,
      status,
    ),
    reasoning,
    body,
    error,
    notes.node,
    h(
      "footer",
      { class: "tetrate-foot" },
      h("span", { class: "tetrate-votes", role: "group", "aria-label": "Vote" }, ...votes),
      early,
      h("span", { class: "tetrate-grow" }),
      use,
    ),
    pop.node,
  );

  function seconds() {
    const { prompts, repeats } = context.told;
    return item.self().fields.state === "failed" && prompts * repeats === 1 ? waits(item.self().key) : 0; // of several questions, another's may be meant
  }

  function count(time) {
    item.self().fields.error.forEach((line, place) => setText(error.children[place + 1], nextIn(line, time)));
  }

  function draw() {
    const all = item.self().fields;
    const told = context.told;
    if (all.state === "failed" || wait.left()) wait.set(seconds());
    const known = told.letters[item.self().key] ?? (told.blind ? all.label : "");
    show(letter, Boolean(known));
    setText(letter, known);
    const name = told.blind ? `Answer ${all.label}` : all.label;
    setText(label, shortened(name, 34));
    label.title = name;
    const pick = told.picks.length === 1 && told.picks[0] === item.self().key;
    item.node.classList.toggle("tetrate-pick", told.picks.includes(item.self().key));
    const main = pick && !opened() && told.using !== item.self().key;
    use.classList.toggle("tetrate-main", main);
    use.classList.toggle("tetrate-plain", !main);
    inUse(told.using === item.self().key);
    show(use, Boolean(all.source) && !told.blind);
    for (const each of [stop, retry, copied]) {
      show(each, each === stop ? isGoing(all) : each === copied ? Boolean(all.source) : !isGoing(all) && !told.blind);
    }
    show(more, !told.blind);
  }

  function inUse(on) {
    if (use.dataset.on === String(on) && use.dataset.of === item.self().fields.label) return;
    const { label: name } = item.self().fields;
    Object.assign(use.dataset, { on: String(on), of: name });
    use.replaceChildren(
      ...(on ? [icon("dot"), IN_USE] : ["Use ", idNode(name), h("span", { class: "tetrate-since" }, "from now on")]),
    );
    use.setAttribute("aria-pressed", String(on));
    use.setAttribute("aria-label", on ? `${IN_USE}: ${name}` : `Use ${name} from now on`);
    use.title = on ? "Go back to its conversation" : `${name} answers from now on; its conversation goes on`;
  }

  return Object.assign(item, {
    draw,
    stop: wait.stop,
    grown() {
      if (item.self().fields.state !== "running") withButtons(body, context);
    },
    update(now, all) {
      item.node.setAttribute("aria-label", all.label);
      for (const each of [stop, retry, copied, more]) {
        each.setAttribute("aria-label", `${each === retry ? "Retry" : each.title}: ${all.label}`);
      }
      of.replaceChildren(...(all.provider ? [mark(all.provider)] : []));
      setText(about, all.about);
      about.title = all.about;
      show(about, Boolean(all.about));
      setText(status, figures(all.status));
      status.title = all.exact;
      item.node.classList.toggle("tetrate-silent", all.silent);
      if ("reasoning" in now) {
        thoughts.innerHTML = all.reasoning;
        show(reasoning, Boolean(all.reasoning));
        if (isExpanded()) reasoning.open = true;
      }
      if ("error" in now) {
        error.replaceChildren(icon("warn"), ...all.error.map((line) => h("p", { dir: "auto" }, line)));
        show(error, all.error.length > 0);
      }
      notes.update(now, all);
      item.node.setAttribute("aria-busy", String(isGoing(all)));
      votes.forEach((each, place) => {
        const [value, , word] = VOTE_NAMES[place];
        each.setAttribute("aria-pressed", String(all.vote === value));
        each.setAttribute("aria-label", `${word}: ${all.label}`);
        each.disabled = !(all.source || (isGoing(all) && body.firstChild));
      });
      show(early, Boolean(all.vote) && all.early);
      draw();
    },
  });
}

function isGoing(all) {
  return all.state === "running" || all.state === "waiting";
}

// One prompt of several: its text, what became of it in each column, and its answers where it is unfolded.
function promptRow(context) {
  const { send } = context;
  const body = h("div", { class: "tetrate-body", hidden: true });
  const item = { body };
  const opens = button("", () => send("open", { number: item.self().fields.number }), {
    class: "tetrate-button tetrate-plain tetrate-prompt",
    dir: "auto",
  });
  const live = button("Show in columns", () => send("look", { prompt: item.self().fields.number, repeat: 0 }), {
    class: "tetrate-button tetrate-plain",
  });
  const cells = h("dl", { class: "tetrate-cells" });
  item.node = h(
    "article",
    { class: "tetrate-promptrow", role: "listitem" },
    h("header", { class: "tetrate-row" }, opens, live),
    cells,
    body,
  );
  return Object.assign(item, {
    grown() {
      withButtons(body, context);
    },
    update(changed, all) {
      setText(opens, `${all.number + 1}. ${all.prompt}`);
      opens.setAttribute("aria-expanded", String(all.opened));
      live.setAttribute("aria-label", `Show prompt ${all.number + 1} in columns`);
      show(body, all.opened);
      if ("cells" in changed) {
        cells.replaceChildren(
          ...all.cells.map(([label, text]) =>
            h("div", {}, h("dt", { translate: "no" }, label), h("dd", { class: "tetrate-quiet tetrate-number" }, text))
          ),
        );
      }
    },
  });
}
