// The chat: header with the model, the questions and answers, the box to ask in (chat_message.js, chat_box.js, chat_earlier.js).

const LARGEST = 8 * 1024 * 1024; // bytes of an image; Jupyter's connection takes no much larger message

function chat(context) {
  const { send, told } = context;
  const model = modelMenu(context, {
    label: "Model",
    picked: () => (told.model ? [told.model] : []),
    done: ([id]) => send("choose", { model: id }),
  });
  const total = h("span", { class: "tetrate-quiet tetrate-number tetrate-total" });
  const fresh = worded("plus", "New", begin, { title: "Start a new conversation; this one is kept" });
  const clock = iconButton("clock", "Earlier conversations", () => past.open(), {
    class: "tetrate-button tetrate-plain tetrate-icon tetrate-clock",
    "aria-expanded": "false",
  });
  const more = iconButton("more", "More");
  const list = h("div", { class: "tetrate-list" });
  const box = composer(context, (...parts) => {
    mine = true;
    return send(...parts);
  });
  const empty = beginnings(box.fill, (id) => leave("open", { identity: id }));
  const log = h(
    "div",
    { class: "tetrate-log", role: "region", tabindex: "0", "aria-label": "Conversation" },
    empty.node,
    list,
  );
  const past = earlierList(context, (open) => {
    show(past.node, open);
    show(log, !open);
    clock.setAttribute("aria-expanded", String(open));
    if (!open) box.text.focus({ preventScroll: true });
  });
  const newer = button("New answer ↓", () => {
    down();
    box.text.focus({ preventScroll: true });
  }, { hidden: true });
  const hint = h("p", { class: "tetrate-quiet tetrate-hint", role: "status", hidden: true });
  const actions = menu(more, "More", () => [
    ...(told.total ? [[null, told.total]] : []),
    ...(told.busy ? [] : [["plus", "New conversation", begin]]),
    ...(told.busy ? [] : [["clock", "Earlier", past.open]]),
    ["sliders", "Parameters", () => box.settings.open()],
    ["file", "System prompt", () => box.settings.open("system")],
  ]);
  const node = h(
    "div",
    { class: "tetrate-chat" },
    h(
      "div",
      { class: "tetrate-head" },
      model.node,
      total,
      h("span", { class: "tetrate-acts" }, fresh),
      clock,
      more,
      actions.node,
    ),
    log,
    past.node,
    h("div", { class: "tetrate-newer" }, newer),
    hint,
    box.node,
  );
  const unfollow = followTarget(context);
  let follows = true; // the end of the talk is in sight, and stays there, whatever gets its size later
  let bottom = true;
  let used = false;
  let mine = false; // what is asked here is seen, wherever one was reading
  let count = 0;
  let height = 0;
  let flipped = null; // the message whose other version is on its way

  context.listening = new Set(); // what in messages shows fields of the panel: marks, lists of models that were opened
  context.hint = (text) => {
    setText(hint, text);
    show(hint, Boolean(text));
  };

  // A notice goes with the conversation that it was about.
  function leave(action, parts = {}) {
    context.hint("");
    return send(action, parts);
  }

  async function begin() {
    past.close();
    const is = await leave("new");
    box.text.focus({ preventScroll: true });
    return is;
  }

  function isDown() {
    return log.scrollHeight - log.scrollTop - log.clientHeight < 24;
  }

  function down() {
    log.scrollTop = log.scrollHeight;
    follows = true;
    show(newer, false);
  }

  // Another version comes in place of this one: its arrows come where these are, so that versions can be gone through.
  context.flip = (node, step, ask) => {
    const place = [...list.children].indexOf(node);
    flipped = { node, place, step, top: waysOf(node).getBoundingClientRect().top, pointed: node.matches(":hover") };
    return ask().then((done) => {
      if (!done) flipped = null;
      return done;
    });
  };

  function stay() {
    const { node, place, step, top, pointed } = flipped;
    const come = list.children[place];
    if (come === node) return false; // it is still to come
    flipped = null;
    if (!come || waysOf(come).hidden) return false;
    const wanted = log.scrollTop + waysOf(come).getBoundingClientRect().top - top;
    const lacks = wanted + log.clientHeight - log.scrollHeight;
    if (pointed && wanted > 0 && lacks > 0) list.style.paddingBottom = `${lacks}px`; // until the pointer has gone
    log.scrollTop = wanted;
    waysOf(come).querySelector(step < 0 ? "button:first-of-type" : "button:last-of-type").focus({
      preventScroll: true,
    });
    return true;
  }

  log.addEventListener("pointerleave", () => {
    list.style.paddingBottom = "";
  });

  // Where the box to ask in is in sight and used, it stays in sight while the answer above it grows.
  function atHand() {
    if (!node.contains(document.activeElement)) return false;
    const bottom = Math.min(
      node.closest(".jp-WindowedPanel-outer")?.getBoundingClientRect().bottom ?? Infinity,
      window.innerHeight,
    );
    const place = box.node.getBoundingClientRect();
    return place.top < bottom && place.bottom <= bottom + 1;
  }

  log.addEventListener("scroll", () => {
    follows = isDown();
    if (follows) show(newer, false);
  }, { passive: true });
  for (const kind of ["pointerdown", "keydown"]) {
    log.addEventListener(kind, () => {
      follows = false;
    }); // what is opened there stays under the pointer
  }
  const sizes = new ResizeObserver(() => {
    if (follows && !isDown()) down();
  });
  for (const each of [log, list]) sizes.observe(each);

  return {
    node,
    list,
    stop() {
      sizes.disconnect();
      unfollow();
    },
    before() {
      bottom = isDown();
      height = log.scrollHeight;
      used = atHand();
    },
    after() {
      show(empty.node, !list.childElementCount);
      const more = list.childElementCount > count;
      count = list.childElementCount;
      if (flipped && stay()) {
        follows = false;
        show(newer, false);
        return;
      }
      if (bottom || (mine && more)) down();
      else if (log.scrollHeight > height) show(newer, !isDown());
      if (used || (mine && more)) box.node.scrollIntoView({ block: "nearest" });
      if (more) mine = false;
    },
    fields(changed, all) {
      for (const each of [model, ...context.listening]) each.fields(changed, all);
      if ("total" in changed) totalled(total, all.total);
      if ("hint" in changed) context.hint(all.hint);
      if ("variables" in changed || "named" in changed) box.variables(all.variables, all.named);
      if ("variables" in changed) empty.about(all.variables);
      if ("busy" in changed) fresh.disabled = clock.disabled = all.busy;
      if ("busy" in changed || "stoppable" in changed) box.writing(all.busy && all.stoppable);
      if ("compared" in changed) below(context, all.compared);
      if ("past" in changed || "earlier" in changed) past.fields();
      if ("resume" in changed) empty.resume(all.resume);
      box.settings.fields(changed, all);
    },
    item: () => message(context),
    outlives: true,
    keep: (items) => ({ ...keep(items), model: told.model, draft: box.text.value }),
    take(kept) {
      if (kept.draft) box.fill(kept.draft, kept.asked ?? true);
      if (kept.exchanges.length || kept.model) {
        const { exchanges, left, versions, model } = kept;
        send("take", { exchanges, left, versions, model, asked: kept.asked ?? true });
      }
    },
  };
}

// The conversation's total: where it is narrow only what it cost is left, and the rest is in the menu.
function totalled(node, text) {
  const parts = text.split(" · ");
  const cost = parts.pop();
  node.title = text;
  node.replaceChildren(h("span", { class: "tetrate-far" }, parts.map((each) => `${each} · `).join("")), cost);
}

// A comparison that this view has asked for is ready: its cell comes below, and stays.
function below({ model, told, view, el }, [by, source]) {
  if (by === view) insertAndRun(model, told.mark, el, source, { block: "start" });
}

// What stands there before the first question: prompts that fill the box, and send nothing.
function beginnings(fill, open) {
  const resume = button("", () => open(resume.dataset.id), { hidden: true });
  const cards = h("div", { class: "tetrate-cards" });
  const card = (name, title, about, text) =>
    h(
      "button",
      { type: "button", class: "tetrate-button tetrate-example", onclick: () => fill(text) },
      icon(name),
      h("span", {}, h("b", {}, title), h("small", { class: "tetrate-quiet" }, about)),
    );
  return {
    node: h(
      "div",
      { class: "tetrate-empty" },
      h("h3", {}, "What would you like to know?"),
      h(
        "p",
        { class: "tetrate-quiet" },
        "A click fills the box; nothing is sent before you send it. What you ask in cells with %%tetrate shows here, too.",
      ),
      resume,
      cards,
    ),
    resume(offer) {
      show(resume, Boolean(offer));
      if (offer) [resume.dataset.id, resume.textContent, resume.title] = offer;
    },
    about(variables) {
      const [name, kind] = variables.find(([, what]) => /^(DataFrame|LazyFrame|Table)/.test(what)) ??
        variables.find(([, what]) => !/^(str|int|float|bool|image)\b/.test(what)) ?? [];
      cards.replaceChildren(
        name
          ? card("list", `Describe {${name}}`, kind, `Describe {${name}}: what is in it, and what stands out?`)
          : card(
            "list",
            "Plan an analysis",
            "questions to ask of your data",
            "I have a table of orders with date, city and revenue. Which five questions should I ask of it first?",
          ),
        name
          ? card(
            "usage",
            `Plot {${name}}`,
            "Python code to run",
            `Write Python code that plots what matters most in {${name}}. It is the variable ${name}.`,
          )
          : card(
            "file",
            "Write a function",
            "Python code to run",
            "Write a Python function that reads every CSV file of a folder into one DataFrame.",
          ),
        card(
          "search",
          "Explain a term",
          "in three sentences",
          "Explain in three sentences what a p-value is, and what it is not.",
        ),
      );
    },
  };
}

function waysOf(node) {
  return node.querySelector(".tetrate-ways");
}

// What a new kernel is given back of the conversation: the newest of it, as much as Jupyter's connection takes.
function keep(items) {
  const exchanges = [];
  let room = LARGEST / 4; // characters, of up to four bytes
  for (const { fields, body } of items.reverse()) {
    const answer = fields.source || body.innerText;
    if (!answer) continue;
    room -= fields.prompt.length + (fields.sent ?? "").length + answer.length +
      JSON.stringify(fields.kept ?? {}).length;
    if (room < 0) break;
    exchanges.unshift([
      fields.prompt,
      fields.sent ?? "",
      answer,
      ["running", "partial"].includes(fields.state),
      fields.model ?? "",
      fields.kept ?? {},
    ]);
  }
  const versions = items.some(({ fields }) => fields.way?.[1] > 1); // a page shows one of each
  return { exchanges, left: items.length - exchanges.length, versions };
}

export default { render: (context) => panel(context, "Chat", chat) };
