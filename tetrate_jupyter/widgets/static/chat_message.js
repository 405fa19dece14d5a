// One question and its answer in the chat.

const NAMES = /(\{[^\W\d]\w*(?:\.\w+|\[[^\]{}]*\])*\})/; // what may stand for a variable, as it was typed

function message(context) {
  const { send, announce } = context;
  const item = {};
  const act = (name, parts) => send(name, { key: item.self().key, ...parts });
  const question = asked(context, item, act);
  const said = aside(question.sent);
  const who = h("span", { class: "tetrate-who" });
  const thoughts = h("div", { class: "tetrate-body" });
  const reasoning = h("details", { class: "tetrate-reasoning", hidden: true }, h("summary", {}, "Reasoning"), thoughts);
  const tools = h("details", { class: "tetrate-reasoning", hidden: true });
  const body = h("div", { class: "tetrate-body" });
  const failed = failure();
  const foot = h("span", { class: "tetrate-quiet tetrate-number tetrate-figures" });
  const bar = timeBar();
  const status = h("span", { class: "tetrate-quiet tetrate-number tetrate-status", hidden: true });
  const acts = actions(context, item, act, failed.count);
  const writing = {
    ...context,
    writing: (block) => item.self().fields.state === "running" && block.closest(".tetrate-tail"),
  };

  function draw(now, all) {
    const running = all.state === "running";
    question.update(now, all);
    said.update(now, all);
    if ("model" in now) marked(all.model);
    if ("reasoning" in now) {
      thoughts.innerHTML = all.reasoning;
      show(reasoning, Boolean(all.reasoning));
    }
    if ("tools" in now) called(tools, all.tools);
    if ("failed" in now) failed.set(all.failed);
    if ("figures" in now) {
      foot.replaceChildren(...figured(all.figures));
      foot.title = all.foot;
    }
    setText(status, all.status);
    bar.set(all.bar, running);
    show(status, running);
    show(bar.node, running && all.bar.length > 0);
    show(foot, !running);
    acts.update(now, all);
    if ("state" in now && !running) finished(all);
    item.node.setAttribute("aria-busy", String(running));
  }

  function marked(model) {
    who.replaceChildren(...(model ? [mark(providerOf(context, model))] : []));
    who.title = model;
  }

  function finished(all) {
    withButtons(body, writing);
    if (item.was !== "running") return;
    setTimeout(() => announce(all.state === "failed" ? all.failed.join(" ") : body.textContent.slice(0, 1000))); // its text follows
  }

  const listener = {
    fields(changed) {
      if ("providers" in changed) marked(who.title);
    },
  }; // a list of models may come later
  context.listening.add(listener);
  item.body = body;
  item.node = h(
    "article",
    { class: "tetrate-message", "aria-label": "Question and answer" },
    question.node,
    who,
    reasoning,
    tools,
    body,
    failed.node,
    said.node,
    h("div", { class: "tetrate-foot" }, foot, said.facts, bar.node, status, acts.node),
  );
  return Object.assign(item, {
    grown() {
      withButtons(body, writing);
    },
    stop() {
      context.listening.delete(listener);
      acts.stop();
    },
    update(now, all) {
      draw(now, all);
      item.was = all.state;
    },
  });
}

function providerOf({ told }, model) {
  return told.providers[model] || model;
}

// [[kind, text], ...] of a quiet line, each with what stands behind it; what goes where it is narrow is of a kind.
function figured(parts) {
  return parts.map(([kind, text], place) => {
    const behind = text.endsWith(" →") ? " " : " · ";
    return h(
      "span",
      { class: `tetrate-${kind}` },
      text.replaceAll(" ", "\u00a0") + (place + 1 < parts.length ? behind : ""),
    );
  });
}

// --- the question ----------------------------------------------------------------------------------------------------

function asked(context, item, act) {
  const pictures = h("div", { class: "tetrate-pictures", hidden: true });
  const prompt = h("div", { class: "tetrate-prompt", dir: "auto" });
  const more = button("Show all", () => unfold(true), {
    class: "tetrate-button tetrate-plain tetrate-more",
    hidden: true,
    "aria-expanded": "false",
  });
  const bubble = h("div", { class: "tetrate-bubble" }, pictures, prompt, more);
  const sent = h("pre", { class: "tetrate-sent", dir: "auto", tabindex: "0", "aria-label": "as it was sent" });
  const marks = h("span", { class: "tetrate-marks" });
  const edit = worded("pencil", "Edit", () => editing(true), { title: "Ask it differently; this version is kept" });
  const back = iconButton("left", "Version before", () => flip(-1));
  const on = iconButton("right", "Version after", () => flip(1));
  const place = h("span", { class: "tetrate-number" });
  const ways = h(
    "span",
    { class: "tetrate-ways", role: "group", "aria-label": "Versions", hidden: true },
    back,
    place,
    on,
  );
  const flip = (step) => context.flip(item.node, step, () => act("way", { step }));
  const under = h("div", { class: "tetrate-under" }, marks, ways, h("span", { class: "tetrate-acts" }, edit));
  const text = h("textarea", { "aria-label": "Edit the question", rows: "3", spellcheck: "true" });
  const names = naming(context, text);
  const form = h(
    "form",
    { class: "tetrate-edit", hidden: true, onsubmit: resend },
    text,
    names,
    h(
      "div",
      { class: "tetrate-row" },
      button("Cancel", () => editing(false)),
      h("button", { type: "submit", class: "tetrate-button tetrate-main" }, "Send"),
    ),
  );
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) editing(false);
  });
  text.addEventListener("input", () => grow(text));
  sends(text, resend, swapped.get);

  function editing(wanted) {
    if (wanted) text.value = item.self().fields.prompt;
    form.hidden = !wanted;
    bubble.hidden = under.hidden = wanted;
    (wanted ? text : edit).focus();
    if (wanted) grow(text);
  }

  async function resend(event) {
    event.preventDefault();
    if (await act("edit", { text: text.value }) && form.isConnected) editing(false);
  }

  function unfold(wanted) {
    prompt.classList.toggle("tetrate-folded", !wanted);
    setText(more, wanted ? "Show less" : "Show all");
    more.setAttribute("aria-expanded", String(wanted));
    more.onclick = () => unfold(!wanted);
  }

  return {
    node: h("div", { class: "tetrate-asked" }, bubble, form, under),
    sent,
    update(now, all) {
      if ("prompt" in now || "sent" in now) {
        const parts = all.sent ? all.prompt.split(NAMES) : [all.prompt];
        prompt.replaceChildren(...parts.map((part, odd) => (odd % 2 ? h("code", {}, part) : part)));
        const long = all.prompt.length > 600 || all.prompt.split("\n").length > 12;
        more.hidden = !long;
        unfold(!long);
        setText(sent, all.sent || all.prompt);
      }
      if ("thumbs" in now) {
        pictures.replaceChildren(...all.images.map((label, place) => pictured(label, all.thumbs[place] ?? ["", ""])));
        show(pictures, all.images.length > 0);
      }
      marks.replaceChildren(...(all.origin === "cell" ? [chip("asked in a cell")] : []));
      setText(place, `${all.way[2]} ${all.way[0] + 1} / ${all.way[1]}`);
      show(ways, all.way[1] > 1);
      edit.disabled = all.state === "running";
      edit.style.visibility = edit.disabled ? "hidden" : "";
    },
  };
}

function pictured(label, [source, facts]) {
  const shown = source ? h("img", { src: source, alt: "", class: "tetrate-thumb" }) : icon("image");
  return h(
    "figure",
    {},
    shown,
    h("figcaption", {}, h("span", { class: "tetrate-clip", title: label }, label), facts ? h("span", {}, facts) : ""),
  );
}

function called(details, tools) {
  const rows = tools.map(([name, given, result]) =>
    h(
      "div",
      {},
      h("code", {}, `${name}(${given})`),
      h("pre", { class: "tetrate-sent", tabindex: "0", "aria-label": "result" }, result),
    )
  );
  details.replaceChildren(h("summary", {}, `Tools: ${tools.map(([name]) => name).join(", ")}`), ...rows);
  show(details, tools.length > 0);
}

// --- what one can do with it -----------------------------------------------------------------------------------------

function actions(context, item, act, count) {
  const copied = doing("copy", "Copy", "Copied", () => copy(item.self().fields.source), {
    title: "Copy the answer as Markdown",
    "data-offline": "true",
  });
  const retry = worded("retry", "Retry", () => {
    if (!wait.left()) act("retry");
  }, { title: AGAIN });
  const wait = countdown(retry, AGAIN, () => context.announce("You can retry now."), { each: count });
  const other = iconButton("down", "Retry with another model", null, {
    class: "tetrate-button tetrate-plain tetrate-icon tetrate-narrow",
    "aria-expanded": "false",
  });
  const compare = worded("compare", "Compare", () => compared(context, act), {
    title: "Ask two other models the same, side by side in a cell below",
  });
  const dismiss = worded("close", "Dismiss", () => act("dismiss"));
  const node = h("span", { class: "tetrate-acts" }, copied, retry, other, compare, dismiss);
  let list = null;

  other.addEventListener("click", () => {
    list = modelMenu(context, {
      label: "Retry with another model",
      from: other,
      picked: () => [item.self().fields.model],
      done: ([model]) => act("retry", { model }),
    });
    context.listening.add(list);
    list.fields(context.told, context.told);
    item.node.append(list.node);
    other.click(); // by now it opens
  }, { once: true });

  return {
    node,
    stop() {
      context.listening.delete(list);
      wait.stop();
    },
    update(now, all) {
      const running = all.state === "running";
      show(copied, Boolean(all.source));
      show(dismiss, all.state === "failed");
      for (const each of [retry, other, compare]) show(each, !running);
      if ("wait" in now) wait.set(all.wait);
    },
  };
}

const AGAIN = "Ask the same again; this version is kept";

// The comparison is opened by a cell, which stays: a page that can't add one is told how to.
function compared({ model, told, view, hint, el }, act) {
  const isHere = canRun(model) && placeOf(model, told.mark, el);
  if (isHere && !isReadOnly(model)) return act("compare", { by: view });
  hint(
    isHere
      ? READ_ONLY
      : "This page can't add a cell. Next: begin a cell with %%tetrate_compare and write the question below that.",
  );
  return false;
}
