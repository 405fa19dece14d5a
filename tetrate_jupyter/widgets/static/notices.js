// What one should know of a question or of an answer, in the chat and above and below the answers of a comparison.

// Chips in a row; each opens the whole of what it says, and what was sent, below the row. `facts` are those that warn of nothing: they
// stand in the quiet line. `sent` shows the question as it was sent where the panel has an element for it; else its chip has the text.
function aside(sent = /** @type {HTMLElement | null} */ (null)) {
  const row = h("div", { class: "tetrate-says" });
  const facts = h("span", { class: "tetrate-says", hidden: true });
  const rest = h("div", {});
  const why = h("p", { dir: "auto" });
  const value = h("pre", { class: "tetrate-sent", dir: "auto", tabindex: "0", "aria-label": "what was sent of it" });
  const opened = h("div", { class: "tetrate-why", hidden: true }, why, value, ...(sent ? [sent] : []));
  const node = h("div", { class: "tetrate-aside", hidden: true }, rest, row, opened);
  let open = null;

  function toggle(made, says, text) {
    const wanted = open !== made;
    open?.setAttribute("aria-expanded", "false");
    open = wanted ? made : null;
    made.setAttribute("aria-expanded", String(wanted));
    setText(why, text && !says.endsWith(":") ? `${says} This was sent:` : says);
    setText(value, text);
    value.hidden = !text;
    if (sent) sent.hidden = Boolean(text); // that of the value is in it
    opened.hidden = !wanted;
    show(node, wanted || tells());
  }

  function tells() {
    return row.childElementCount > 0 || rest.childElementCount > 0;
  }

  function opener([label, says, kind, text = ""]) {
    const made = h(
      "button",
      {
        type: "button",
        class: `tetrate-pill ${kind && `tetrate-${kind}`}`,
        "aria-expanded": "false",
        onclick: () => toggle(made, says, text),
        "data-offline": "true",
      },
      ...(kind ? [icon("warn")] : []),
      h("span", { class: "tetrate-clip" }, label),
    );
    return made;
  }

  return {
    node,
    facts,
    update(now, all) {
      if (!("chips" in now || "sent" in now || "said" in now)) return;
      const chips = [
        ...all.chips.filter(([, , kind]) => kind),
        ...(all.sent ? [["with its variables", "The question as it was sent:", "", sent ? "" : all.sent]] : []),
      ];
      const quiet = all.chips.filter(([, , kind]) => !kind);
      row.replaceChildren(...chips.map(opener));
      facts.replaceChildren(...quiet.map(opener));
      rest.replaceChildren(...all.said.map((note) => h("p", { class: "tetrate-notice", dir: "auto" }, note)));
      opened.hidden = true;
      open = null;
      show(row, chips.length > 0);
      show(facts, quiet.length > 0);
      show(node, tells());
    },
  };
}
