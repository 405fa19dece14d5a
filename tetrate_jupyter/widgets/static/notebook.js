// The notebook around a panel, where the front end lets a widget see it (JupyterLab, Notebook 7).

// Gives the notebook's model and the place of the cell whose static twin has this mark, or null.
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

function insertCell(model, mark, source) {
  const found = cellOf(model, mark);
  found?.notebook.sharedModel.insertCell(found.index + 1, { cell_type: "code", source, metadata: {} });
}

// After a reload the page doesn't know any more which output the kernel means: the panel writes its own twin.
function writeTwin(model, mark, bundle) {
  cellOf(model, mark)?.output.setData?.({ data: bundle });
}
