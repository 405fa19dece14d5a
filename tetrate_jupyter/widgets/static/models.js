// What the list of models and the small one of other panels show alike: ids, abilities, prices.

const ABILITIES = [["images", "image", "Images"], ["tools", "tool", "Tools"], ["reasoning", "think", "Reasoning"], ["structured output", "braces", "Structured output"]];

// A text with what was searched for lit up in it.
function lit(text, words) {
  const low = text.toLowerCase();
  if (low.length !== text.length) return [text]; // then places in one aren't places in the other
  const found = [];
  for (const word of words.toLowerCase().split(/[\s,]+/)) {
    for (let at = word ? low.indexOf(word) : -1; at >= 0; at = low.indexOf(word, at + word.length)) found.push([at, at + word.length]);
  }
  const parts = [];
  let end = 0;
  for (const [from, to] of found.sort((one, other) => one[0] - other[0])) {
    if (from < end) continue;
    parts.push(text.slice(end, from), h("mark", {}, text.slice(from, to)));
    end = to;
  }
  return [...parts, text.slice(end)].filter((part) => part !== "");
}

// An id: its end, which tells models apart, is never cut for what goes before it.
function modelId(node, label, words = "") {
  const cut = label.lastIndexOf("/") + 1;
  node.replaceChildren(cut ? h("span", { class: "tetrate-before", dir: "ltr" }, ...lit(label.slice(0, cut), words)) : "",
    h("b", { dir: "ltr" }, ...lit(label.slice(cut), words)));
}

function idNode(label, words) {
  const node = h("span", { class: "tetrate-id", translate: "no" });
  modelId(node, label, words);
  return node;
}

// One small mark for each ability; what isn't there is a dot, what isn't known a question mark.
function abilities(can) {
  return h("span", { class: "tetrate-abilities" }, ...ABILITIES.map(([, drawn, label], place) =>
    can[place] ? h("span", { role: "img", "aria-label": label, title: label }, icon(drawn)) :
      can[place] === false ? h("span", { class: "tetrate-quiet", title: `${label}: no` }, "·") :
        h("span", { class: "tetrate-quiet", title: `${label}: unknown` }, "?")));
}

// A price with as much room behind its point as any has: figures of a column stand below each other by their places.
function priced(text) {
  if (!/^[$<>]/.test(text)) return [text === "unknown" ? h("span", { class: "tetrate-quiet", title: "unknown" }, h("span", { class: "tetrate-hidden" }, "unknown"), "–") : text];
  const places = (text.split(".")[1] ?? "").length;
  return [text, places < 3 ? h("i", { class: "tetrate-pad", "aria-hidden": "true" }, "0".repeat(3 - places)) : ""];
}

// A day of the list, as short as it can be.
function day(iso) {
  const at = new Date(`${iso}T00:00:00Z`);
  const far = at.getUTCFullYear() !== new Date().getUTCFullYear();
  return at.toLocaleDateString("en-GB", far ? { month: "short", year: "numeric", timeZone: "UTC" } : { day: "numeric", month: "short", timeZone: "UTC" });
}

// What a model is, as a tooltip.
function aboutModel(told) {
  return [told.id, [told.name, told.provider].filter(Boolean).join(" · "), told.description,
    told.falls.length ? `Falls back to ${told.falls.join(", ")}` : "", told.ends[0] ? `${told.ends[2] ? "Retired" : "Retires"} ${told.ends[0]}` : "",
    ...told.marks].filter(Boolean).join("\n");
}
