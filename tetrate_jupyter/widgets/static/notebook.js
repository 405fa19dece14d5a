// The notebook around a panel, where the front end lets a widget see it (JupyterLab, Notebook 7).

// Gives the notebook's model and the place of the cell whose static fallback has this mark, or null.
function cellOf(model, mark) {
  const notebook = model.widget_manager?.context?.model;
  if (!notebook?.sharedModel?.insertCell || !notebook.cells) return null;
  for (let index = 0; index < notebook.cells.length; index++) {
    const outputs = notebook.cells.get(index).outputs;
    for (let place = 0; place < (outputs?.length ?? 0); place++) {
      const output = outputs.get(place);
      if (String(output.data?.["text/html"] ?? "").includes(mark)) return { notebook, index, output };
    }
  }
  return null;
}

// Gives the notebook beside which a panel is docked (labextension/static/panel.js leaves it there), or null. It is the widget itself, and
// only where it is the one whose kernel this panel is of.
function dockedBeside(model, el) {
  const notebook = el.closest(".tetrate-lab-docked")?.tetrateNotebook;
  return notebook?.model?.sharedModel && !notebook.isDisposed && notebook.model === model.widget_manager?.context?.model
    ? notebook
    : null;
}

// Gives where cells of a panel go: the notebook's model, and the place of the cell below which they go; or null. That is the panel's own
// cell, or beside a notebook the active one there.
function placeOf(model, mark, el) {
  const beside = dockedBeside(model, el);
  return beside ? { notebook: beside.model, index: beside.activeCellIndex } : cellOf(model, mark);
}

// Gives whether that notebook takes no changes: it could not be saved with them.
function isReadOnly(model) {
  const context = model.widget_manager?.context;
  return Boolean(context?.model?.readOnly || context?.contentsModel?.writable === false);
}

// Gives the source of that cell, or "".
function sourceOf(model, mark) {
  const found = cellOf(model, mark);
  return found?.notebook.cells.get(found.index).sharedModel.getSource() ?? "";
}

function canRun(model) {
  return Boolean(model.widget_manager?.context?.sessionContext && model.widget_manager._modelsSync);
}

// Runs the cell in which this element of a widget stands, in a new kernel if need be. Gives whether that could be done.
// JupyterLab's commands would ask a person to trust the button first; its cell is found through the widget's own view.
async function runCell(model, el) {
  try {
    const session = model.widget_manager.context.sessionContext;
    const cell = await cellAround(model.widget_manager, el);
    if (!cell) return false;
    const status = session.session?.kernel?.status;
    if (!status || status === "dead" || status === "terminating") {
      await (status ? session.restartKernel() : session.startKernel());
    }
    const kernel = session.session?.kernel;
    if (!kernel) return false;
    // A fresh kernel knows neither the magics nor the session that such a cell needs of us.
    const names = /\bsession\b/.test(cell.model.sharedModel.getSource())
      ? "\nglobals().setdefault('session', __import__('tetrate_jupyter').session)"
      : "";
    kernel.requestExecute({ code: `%load_ext tetrate_jupyter${names}`, silent: true, store_history: false });
    await cell.constructor.execute(cell, session, { deletedCells: [] });
    return true;
  } catch (error) {
    console.warn(error);
    return false;
  }
}

// Gives whether the kernel answers that it has no widget for this element: it is another one than that which made it.
async function isUnknown(model, el) {
  try {
    const manager = model.widget_manager;
    const reply = await manager.kernel.requestCommInfo({ target_name: "jupyter.widget" });
    for (const [id, each] of manager._modelsSync) {
      const views = await Promise.all(Object.values(each.views ?? {}));
      if (views.some((view) => view.el?.contains(el))) return !(id in reply.content.comms);
    }
  } catch (error) {
    console.warn(error); // the kernel went meanwhile, which is told elsewhere
  }
  return false;
}

async function cellAround(manager, el) {
  for (const each of manager._modelsSync.values()) {
    const views = await Promise.all(Object.values(each.views ?? {}));
    if (!views.some((view) => view.el?.contains(el))) continue;
    for (const view of views) { // of several, one is in the notebook
      let widget = view.luminoWidget ?? view.pWidget;
      while (widget && !widget.node.classList.contains("jp-CodeCell")) widget = widget.parent;
      if (widget?.constructor.execute) return widget;
    }
  }
  return null;
}

// Gives {notebook, cell}: the notebook's own widget, and in it that of the cell in which this element stands, null for a panel beside the
// notebook; or null.
async function notebookAround(model, el) {
  const beside = dockedBeside(model, el);
  if (beside) return { notebook: beside, cell: null };
  try {
    const cell = await cellAround(model.widget_manager, el);
    let notebook = cell?.parent;
    while (notebook && !notebook.activeCellChanged) notebook = notebook.parent;
    return notebook ? { notebook, cell } : null;
  } catch {
    return null; // another front end's, which shows none of this
  }
}

// Inserts a cell below the panel's, or below the active one of the notebook beside it, where it becomes the active one: the next goes below
// that, and is seen. Gives whether that could be done.
function insertCell(model, mark, source, el = document.body) {
  const found = placeOf(model, mark, el);
  found?.notebook.sharedModel.insertCell(found.index + 1, { cell_type: "code", source, metadata: {} });
  const beside = found && dockedBeside(model, el);
  if (beside) {
    beside.activeCellIndex = found.index + 1;
    beside.widgets[found.index + 1]?.node.scrollIntoView({ block: "nearest" });
  }
  return Boolean(found);
}

// Inserts a cell below that one, shows and runs it. Gives whether it was inserted; where it can't be run, a person does it.
async function insertAndRun(model, mark, el, source, { block = "nearest", active = false } = {}) {
  const around = await notebookAround(model, el);
  const index = placeOf(model, mark, el)?.index;
  if (!insertCell(model, mark, source, el)) return false;
  const made = index === undefined ? undefined : around?.notebook.widgets[index + 1];
  if (made?.model.sharedModel.getSource() !== source) return true;
  if (active && around) around.notebook.activeCellIndex = index + 1;
  made.node.scrollIntoView({ block });
  const done = made.constructor.execute?.(made, model.widget_manager.context.sessionContext, { deletedCells: [] });
  setTimeout(() => made.node.scrollIntoView({ block }), 300); // with the first of what it shows
  await done;
  return true;
}

// Puts code into a cell, as one step that Ctrl-Z there takes back.
function replaceSource(cell, source) {
  if (!cell || cell.isDisposed) return false;
  const shared = cell.model.sharedModel;
  shared.transact(() => shared.updateSource(0, shared.getSource().length, source));
  return true;
}

function cellName(cell) {
  const count = cell.model.executionCount;
  if (count) return `cell [${count}]`;
  const first = cell.model.sharedModel.getSource().trim().split("\n")[0];
  return first ? `the cell that begins with ${first.slice(0, 30)}` : "the empty cell";
}

// The same below the cell of a panel, where it becomes the active one; not beside a docked panel, whose notebook may be another's.
async function openCell(model, el, mark, source) {
  const has = !dockedBeside(model, el) && cellOf(model, mark);
  return Boolean(has) && await insertAndRun(model, mark, el, source, { active: true });
}

// Gives whether other pages have the very same document (jupyter-collaboration), not one of their own.
function isShared(model) {
  return Boolean(model.widget_manager?.context?.model?.collaborative);
}

// After a reload the page doesn't know any more which output the kernel means: the panel writes its own fallback, where it isn't written.
function writeFallback(model, mark, bundle) {
  const output = cellOf(model, mark)?.output;
  if (output && String(output.data["text/html"]) !== bundle["text/html"]) output.setData?.({ data: bundle });
}
