// "Ask" on the active code cell's toolbar and in the palette: what a cell, or what is selected in it, does, and better,
// documented or more code. That the button stands there is in schemas/: the toolbar takes it from settings, 4.1 too.

/** @type {[string, string, string][]} */
const WISHES = [
  ["explain", "Explain", "explain this cell"],
  ["improve", "Improve", "improve this cell"],
  ["test", "Write tests", "write tests for this cell"],
  ["document", "Document", "document this cell"],
  ["continue", "Continue", "continue after this cell"],
];

/** @typedef {{ source: string, from: number, to: number, isSeveral: boolean }} Passage */

/** Return the cell's source and what of it is selected, all where nothing or more is. @param {Cell} cell @returns {Passage} */
function passage({ model, editor }) {
  const source = model.sharedModel.getSource();
  const parts = (source.includes("\r") ? [] : editor?.getSelections() ?? []) // an editor counts these line ends otherwise
    .map(({ start, end }) => [start, end].map((each) => editor?.getOffsetAt(each) ?? 0).sort((a, b) => a - b))
    .filter(([from, to]) => source.slice(from, to).trim());
  const [from, to] = parts.length === 1 ? parts[0] : [0, source.length];
  return { source, from, to, isSeveral: parts.length > 1 };
}

/**
 * @param {{ parts: Parts["below"], literal: Parts["settings"]["literal"], page: Packages, app: Application, services: Services, links: Links, icon: unknown,
 *   loaded: () => Promise<Link | null> }} given
 */
export function addAsking({ parts, literal, page, app, services, links, icon, loaded }) {
  const { commands } = app;
  /** @type {Set<OnCell>} */
  const open = new Set();
  const active = () => {
    const cell = links.front?.notebook.content.activeCell;
    return cell?.model.type === "code" ? cell : null;
  };

  const ask = async (/** @type {string} */ wish) => {
    const cell = active();
    const content = links.front?.notebook.content;
    if (!cell || !content) return;
    if (wish !== "explain" && (links.front?.isReadOnly || cell.readOnly)) {
      return links.said("This can't be edited: only Explain can be asked of it.");
    }
    const asked = passage(cell); // before anything is waited for
    const link = links.front?.stands === "loaded" ? links.front : await loaded();
    if (!link || cell.isDisposed) return;
    const before = [...open].find((each) => each.below.cell === cell);
    if (before?.isSending) {
      return links.said("An answer about this cell is still to come. Next: wait for it, or stop it.");
    }
    before?.close();
    const made = new OnCell(parts, literal, page, link, cell, wish, asked);
    open.add(made);
    made.panel.disposed.connect(() => open.delete(made));
  };

  const choose = () => {
    const cell = active();
    if (!cell) return;
    const { source, from, to, isSeveral } = passage(cell);
    const lines = source.slice(from, to).trim().split("\n").length;
    const menu = new page.lumino.Menu({ commands });
    menu.addClass("tetrate-lab-menu");
    if (isSeveral || to - from < source.length) {
      const label = isSeveral
        ? "Of the whole cell (several selections)"
        : `Of the selection (${lines} ${lines > 1 ? "lines" : "line"})`;
      menu.addItem({ command: "tetrate:standing", args: { label } });
    }
    for (const [wish] of WISHES) menu.addItem({ command: `tetrate:cell-${wish}`, args: { isMenu: true } });
    const anchor = cell.node.querySelector("[data-jp-item-name=tetrate-ask]") ?? cell.node;
    const { left, bottom } = anchor.getBoundingClientRect();
    const focused = document.activeElement;
    // A key on the button has the cell edited, too: its editor takes the focus some time after the menu has come.
    const keep = (/** @type {FocusEvent} */ { target }) => {
      if (menu.isAttached && target instanceof Node && !menu.node.contains(target)) menu.activate();
    };
    document.addEventListener("focusin", keep);
    menu.aboutToClose.connect(() => {
      document.removeEventListener("focusin", keep);
      setTimeout(() => {
        menu.dispose();
        if (document.activeElement === document.body && focused instanceof HTMLElement) focused.focus();
      });
    });
    menu.open(left, bottom);
    menu.activateNextItem();
    menu.activate();
  };

  commands.addCommand("tetrate:ask", {
    label: "Ask",
    caption: "Ask Tetrate about this cell",
    icon,
    isEnabled: () => active() !== null,
    isVisible: () => active() !== null && links.settings.values.askButton,
    execute: choose,
  });
  for (const [wish, short, long] of WISHES) {
    const command = `tetrate:cell-${wish}`;
    commands.addCommand(command, {
      label: ({ isMenu }) => (isMenu ? short : `Tetrate: ${long}`),
      isEnabled: () => active() !== null,
      execute: () => ask(wish),
    });
    services.palette?.addItem({ command, category: "Tetrate" });
  }
}

class OnCell {
  /** @param {Parts["below"]} parts @param {Parts["settings"]["literal"]} literal @param {Packages} page @param {Link} link @param {Cell} cell @param {string} wish @param {Passage} asked */
  constructor({ Below, button }, literal, page, link, cell, wish, asked) {
    this._page = page;
    this._link = link;
    this._asked = asked;
    this.below = new Below(page, link, cell, "Tetrate on this cell", document.createElement("div"));
    this.below.again = "ask again";
    const { panel } = this.below;
    this.panel = panel;
    this.below.close = () => this.close();
    panel.node.addEventListener("keydown", ({ key }) => key === "Escape" && !this.isSending && this.close());
    const { source, from, to } = asked;
    const texts = [source.slice(from, to), source.slice(0, from), source.slice(to)].map(literal);
    this.below.ask(`would_go_of("${wish}", ${texts.join(", ")})`, (data) => {
      if (data.original) this.below.offer((isRun) => this._apply(data.source, isRun));
      else {this.below.say(
          "",
          button("Insert below", () => this._insert(data.source), true),
          this.below.closer("Discard"),
        );}
    });
    cell.ready.then(() => panel.isDisposed || panel.node.focus());
  }

  get isSending() {
    return this.below.isSending && !this.panel.isDisposed;
  }

  close() {
    const { panel } = this;
    if (panel.isDisposed) return;
    if (panel.node.contains(document.activeElement)) this._link.notebook.content.activate();
    panel.dispose();
  }

  /** Put a change where what was asked about stands, if the cell is as it was. @param {string} changed @param {boolean} isRun */
  _apply(changed, isRun) {
    const { source, from, to } = this._asked;
    const problem = this.below.cell.model.sharedModel.getSource() === source
      ? this.below.put(this.below.cell, source.slice(0, from) + changed + source.slice(to), isRun)
      : "The cell was changed since it was asked about: nothing was changed. Next: ask again.";
    if (problem) this._link.said(problem);
    else if (isRun) this.close();
  }

  /** Put code into a new cell below; it is not run. @param {string} source */
  _insert(source) {
    const { content } = this._link.notebook;
    if (this._link.isReadOnly) {
      return this._link.said("This notebook can't be written: no cell was added. Next: save it under another name.");
    }
    content.deselectAll();
    content.activeCellIndex = content.widgets.indexOf(this.below.cell);
    this._page.notebook.NotebookActions.insertBelow(content);
    content.activeCell?.model.sharedModel.setSource(source);
    this.close();
  }
}
