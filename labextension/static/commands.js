// The commands, for palette, menu, launcher and a person's own shortcuts. None takes a key that JupyterLab uses.

const CATEGORY = "Tetrate";

/**
 * @param {{ page: Packages, app: Application, services: Services, links: Links,
 *   panel: SidePanel, more: More }} parts
 */
export function addCommands({ page, app, services, links, panel, more }) {
  const hasNotebook = () => links.front !== null;
  const tell = (/** @type {string} */ text) => page.apputils?.Notification?.info(text, { autoClose: 8000 });
  links.said = tell;

  /** Load the package in the notebook in front; null, and said, where that can't be. */
  const loaded = async () => {
    const link = links.front;
    if (link?.isBusy) tell("The kernel is busy: this is done after the running cell.");
    if (link && (await link.load())) return link;
    tell(link?.kernel ? more(link) : "This notebook has no kernel. Next: choose one at its top right.");
    return null;
  };

  /** Add a cell below the one that is chosen. @param {string} source @param {boolean} run */
  const addCell = async (source, run) => {
    const link = await loaded();
    if (!link) return;
    const { content, sessionContext } = link.notebook;
    if (content.model?.readOnly) return void tell("This notebook can't be changed: no cell was added.");
    page.notebook.NotebookActions.insertBelow(content);
    content.activeCell.model.sharedModel.setSource(source);
    if (run) return void page.notebook.NotebookActions.run(content, sessionContext);
    await content.activeCell.ready;
    content.mode = "edit";
    content.activeCell.editor?.setCursorPosition({ line: 1, column: 0 });
  };

  /** Add a prompt with the chosen cell's source; braces in it name no variables there. */
  const askCell = () => {
    const model = links.front?.notebook.content.activeCell?.model;
    const source = model?.sharedModel.getSource() ?? "";
    let fence = "```";
    while (source.includes(fence)) fence += "`";
    return addCell(`%%tetrate -n\n\n\n${fence}${model?.type === "code" ? "python" : "markdown"}\n${source}\n${fence}`, false);
  };

  /** Make a notebook and open its chat. @param {string} [cwd] */
  const newChat = async (cwd) => {
    const kernelName = app.serviceManager.kernelspecs.specs?.default;
    const notebook = await app.commands.execute("notebook:create-new", { cwd, kernelName, isLauncher: true });
    await notebook.sessionContext.ready;
    if (await links.of(notebook).load()) panel.open("chat");
    else tell(more(links.of(notebook)));
  };

  /** @type {[string, string, () => unknown, (() => boolean)?][]} */
  const commands = [
    ["tetrate:load", "load in this notebook", async () => { await loaded(); }],
    ["tetrate:chat", "chat", () => panel.open("chat")],
    ["tetrate:models", "models", () => panel.open("models")],
    ["tetrate:usage", "usage", () => panel.open("usage")],
    ["tetrate:compare", "compare models", () => addCell("%tetrate_compare", true)],
    ["tetrate:new-prompt-cell", "new prompt cell", () => addCell("%%tetrate\n", false)],
    ["tetrate:ask-cell", "ask about this cell", askCell],
    ["tetrate:sign-in", "sign in", () => panel.open("sign-in")],
    ["tetrate:sign-out", "sign out", async () => { (await loaded())?.do("sign-out"); }, () => links.front?.state?.signed_in !== false],
  ];
  for (const [id, label, execute, isEnabled] of commands) {
    app.commands.addCommand(id, {
      label: ({ isPalette }) => (isPalette || /load|cell/.test(id) ? `${CATEGORY}: ${label}` : label[0].toUpperCase() + label.slice(1)),
      isEnabled: () => hasNotebook() && (isEnabled?.() ?? true),
      execute,
    });
    services.palette?.addItem({ command: id, category: CATEGORY, args: { isPalette: true } });
  }
  app.commands.addCommand("tetrate:standing", { // the first lines of the status item's menu
    label: ({ label }) => String(label ?? CATEGORY),
    isEnabled: () => false,
    execute: () => {},
  });
  if (services.launcher) {
    app.commands.addCommand("tetrate:new-chat", { label: "Chat", caption: "A new notebook with the chat beside it", icon: panel.widget.title.icon, execute: ({ cwd }) => newChat(cwd) });
    services.launcher.add({ command: "tetrate:new-chat", category: CATEGORY, rank: 1 });
  }
  links.listeners.add(() => app.commands.notifyCommandChanged());
}
