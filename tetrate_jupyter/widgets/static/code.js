// Buttons on code blocks. A cell is made through commands that JupyterLab offers to any element that names them.

function canInsert(node) {
  return Boolean(node.closest(".jp-Notebook"));
}

function run(command, values = {}) {
  const link = h("button", {
    hidden: true,
    "data-commandlinker-command": command,
    "data-commandlinker-args": JSON.stringify(values),
  });
  document.body.append(link);
  link.click();
  link.remove();
}

function insertCell(text) {
  run("notebook:insert-cell-below");
  setTimeout(() => run("notebook:replace-selection", { text }), 50); // the new cell's editor comes with its first paint
}

function withButtons(root) {
  for (const block of root.querySelectorAll(".tetrate-code:not(.tetrate-tools-in)")) {
    block.classList.add("tetrate-tools-in");
    const code = () => block.querySelector("pre").textContent.replace(/\n$/, "");
    const copied = button("Copy code", async () => {
      await copy(code());
      setText(copied, "Copied");
      setTimeout(() => setText(copied, "Copy code"), 1500);
    }, { class: "tetrate-button tetrate-plain", "data-offline": "true" });
    const tools = h("div", { class: "tetrate-code-tools" }, copied);
    if (canInsert(block)) tools.append(button("Insert as cell", () => insertCell(code()), { class: "tetrate-button tetrate-plain" }));
    block.querySelector("pre").tabIndex = 0; // it may scroll sideways
    block.querySelector("pre").setAttribute("role", "group");
    block.querySelector("pre").setAttribute("aria-label", "code");
    block.append(tools);
  }
}
