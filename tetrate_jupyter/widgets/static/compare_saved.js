// The prompts of a comparison once its kernel has gone: from the saved copy of the panel, which stands hidden beside it.

function savedPrompts({ el }) {
  const says = h("p", { class: "tetrate-quiet tetrate-said", role: "status" });
  const list = h("div", { class: "tetrate-saved" });
  const node = h("div", { hidden: true }, says, list);
  return {
    node,
    // Takes what the copy has, and gives whether that is anything. It is bounded (compare/page.py): the last prompts may be missing.
    read(mark, prompts) {
      const around = el.closest(".jp-OutputArea") ?? document;
      const found = around.querySelectorAll(`.${mark} .tetrate-of-prompt`);
      list.replaceChildren(...[...found].map((each) => each.cloneNode(true)));
      const number = (n) => n.toLocaleString("en");
      setText(
        says,
        `From the saved copy, which has ${
          found.length < prompts ? `the first ${number(found.length)} of ${number(prompts)}` : `all ${number(prompts)}`
        } prompts.`,
      );
      return found.length > 0;
    },
    // Opens one of them alone, and gives its number among those that are there.
    open(number) {
      const count = list.children.length;
      const wanted = (number + count) % count;
      for (const [place, each] of [...list.children].entries()) {
        /** @type {HTMLDetailsElement} */ (each).open = place === wanted;
      }
      list.children[wanted].scrollIntoView({ block: "nearest" });
      return wanted;
    },
  };
}
