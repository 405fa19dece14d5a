// What begins with a prompt's magic looks like a prompt: Markdown, not Python, with what goes along marked, spelling looked
// at, brackets left alone. Nothing of it is stored: it is the editor's, and goes with the first line.

const PROMPT = /^%%tetrate(_compare)?\b/;
const AS_TYPED = /\s(-n|--no-interpolate)(\s|$)/;
const MARKDOWN = "text/x-ipythongfm"; // of the page's own Markdown cells
const LONGEST = 1_000; // characters of a first line that are looked at
// What looks like a name, as in tetrate_jupyter/completion/variables.py and at_words.py; the kernel alone knows what is one.
const NAME =
  /(?<![{$^\\])\{[\p{L}_][\p{L}\p{N}_]{0,99}(?:\.[\p{L}\p{N}_]{1,99}|\[(?:-?\d{1,18}|'[^'\n]{1,99}'|"[^"\n]{1,99}")\]){0,9}\}(?!\})/gu;
const WORD =
  /(?<![\w@`/.=#$&%~^\\\])])@(?:\[\d{1,18}\](?![\w[(@])|(?:above|notebook|error)(?![\w([{@/\\]|[.:-]\w)|"[^"\n]{1,200}"|(?=[\w~./-]{0,199}(?:\.\w|\/))[\w.~/][\w./~-]{0,198}\w(?![\w(/]|[.-]\w))/g;

/** @param {Packages & Mirror} page @param {NonNullable<Services["editors"]>} editors */
export function followPrompts(page, editors) {
  const extension = page.state && page.view && page.language ? marking(page) : [];
  /** @type {WeakSet<object>} */
  const known = new WeakSet();
  editors.addExtension({
    name: "tetrate-prompts",
    factory: ({ model }) => {
      if (model.type !== "code") return null; // a file, or a cell of text
      if (!known.has(model)) {
        known.add(model);
        colour(model);
      }
      return { instance: () => extension, reconfigure: () => null };
    },
  });
}

/** @param {Cell["model"]} model */
function colour(model) {
  let own = model.mimeType;
  const look = () => {
    if (model.mimeType !== MARKDOWN) own = model.mimeType; // the kernel's language may have come
    model.mimeType = PROMPT.test(model.sharedModel.getSource()) ? MARKDOWN : own;
  };
  model.mimeTypeChanged.connect(look);
  model.sharedModel.changed.connect(look);
  look();
}

/** Return what an editor does with a prompt, and leaves where the first line is none. @param {Mirror} page */
function marking({ state: { EditorState, Prec, StateField }, view: { Decoration, EditorView, ViewPlugin }, language }) {
  const first = (/** @type {MirrorText} */ doc) => doc.sliceString(0, Math.min(doc.line(1).to, LONGEST));
  const prompt = StateField.define({
    create: ({ doc }) => PROMPT.test(first(doc)),
    update: (is, { docChanged, state }) => docChanged ? PROMPT.test(first(state.doc)) : is,
  });
  const attributes = { spellcheck: "false" };
  const magic = Decoration.line({ attributes });
  const mark = Decoration.mark({ class: "tetrate-lab-name", attributes });

  /** Mark what of a prompt is on screen, so that a long one costs no more. @param {MirrorView} view */
  const marked = ({ state, visibleRanges }) => {
    if (!state.field(prompt)) return Decoration.none;
    const tree = language.syntaxTree(state);
    const isCode = (/** @type {number} */ at) => {
      for (let node = tree.resolveInner(at, 1); node; node = node.parent) if (/Code/.test(node.name)) return true;
      return false;
    };
    const found = [magic.range(0)];
    for (const { from, to } of AS_TYPED.test(first(state.doc)) ? [] : visibleRanges) {
      const start = Math.max(from, state.doc.line(1).to);
      const text = state.doc.sliceString(start, Math.max(start, to));
      for (const { index, 0: word } of [...text.matchAll(NAME), ...text.matchAll(WORD)]) {
        const at = start + index;
        if (word[0] === "{" || !isCode(at)) found.push(mark.range(at, at + word.length));
      }
    }
    return Decoration.set(found, true);
  };
  const marks = (/** @type {MirrorView} */ view) => ({
    decorations: marked(view),
    update(/** @type {MirrorUpdate} */ { docChanged, viewportChanged, startState, state, view }) {
      const isParsed = language.syntaxTree(startState) !== language.syntaxTree(state);
      if (docChanged || viewportChanged || isParsed) this.decorations = marked(view);
    },
  });
  return [
    prompt,
    ViewPlugin.define(marks, { decorations: ({ decorations }) => decorations }),
    EditorView.contentAttributes.compute([prompt], (state) => state.field(prompt) ? { spellcheck: "true" } : {}),
    Prec.highest(
      EditorState.languageData.of((state, at) =>
        state.field(prompt) && at > state.doc.line(1).to ? [{ closeBrackets: { brackets: [] } }] : []
      ),
    ),
  ];
}
