// Buttons on code blocks.

function withButtons(root, { model, told }) {
  for (const block of root.querySelectorAll(".tetrate-code:not(.tetrate-tools-in)")) {
    block.classList.add("tetrate-tools-in");
    const pre = block.querySelector("pre");
    const code = () => pre.textContent.replace(/\n$/, "");
    const plain = { class: "tetrate-button tetrate-plain" };
    const tools = h("div", { class: "tetrate-code-tools" },
      saying("Copy code", "Copied", () => copy(code()), { ...plain, "data-offline": "true" }));
    if (cellOf(model, told.mark)) {
      tools.append(saying("Insert as cell", "Inserted below", () => insertCell(model, told.mark, code()), plain));
    }
    pre.tabIndex = 0; // it may scroll sideways
    pre.setAttribute("role", "group");
    pre.setAttribute("aria-label", "code");
    block.append(tools);
  }
}
