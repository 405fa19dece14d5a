// Cells that begin with a prompt's magic are coloured as Markdown, not as Python. Nothing of it is stored: it is the
// editor's, and goes with the first line.

const PROMPT = /^%%tetrate(_compare)?\b/;
const MARKDOWN = "text/x-ipythongfm"; // of the page's own Markdown cells

/** @param {Links} links */
export function colourPrompts(links) {
  /** @type {WeakSet<object>} */
  const known = new WeakSet();
  const follow = () => {
    const content = links.front?.notebook.content;
    const cells = content?.model?.cells;
    if (!content || !cells || known.has(cells)) return;
    known.add(cells);
    /** @param {Iterable<Cell["model"]>} models */
    const each = (models) => {
      for (const model of models) {
        if (model.type !== "code" || known.has(model)) continue;
        known.add(model);
        const look = () => {
          if (PROMPT.test(model.sharedModel.getSource())) model.mimeType = MARKDOWN;
          else if (model.mimeType === MARKDOWN) model.mimeType = content.codeMimetype;
        };
        model.mimeTypeChanged.connect(look); // the kernel's language has come
        model.sharedModel.changed.connect(look);
        look();
      }
    };
    cells.changed.connect((_, { newValues }) => each(newValues));
    each(cells);
  };
  links.listeners.add(follow);
  follow();
}
