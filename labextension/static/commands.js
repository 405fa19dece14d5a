// The commands, for palette, menu, launcher and a person's own shortcuts. None takes a key that JupyterLab uses.

const CATEGORY = "Tetrate";

/**
 * @param {{ page: Packages, app: Application, services: Services, links: Links,
 *   panel: SidePanel, more: More, entering: Parts["enter"] }} parts
 */
export function addCommands({ page, app, services, links, panel, more, entering }) {
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

  /** Likewise, for what one writes in: what is typed runs no shortcuts before `person.end()`. */
  const toWrite = async () => {
    const { notebook } = links.front ?? {};
    const person = entering.hold({ from: notebook?.node ?? document.body, rest: entering.leave });
    const link = await loaded().catch(() => null); // the kernel has ended meanwhile, which the status item says
    if (!link) {
      person.end();
      if (!person.isElsewhere) notebook?.content.activate();
    }
    return { link, person };
  };

  /** Add a cell below the one that is chosen, to write there or in the panel that it shows. @param {string} source @param {boolean} run */
  const addCell = async (source, run) => {
    const { link, person } = await toWrite();
    if (!link) return;
    const { content } = link.notebook;
    if (link.isReadOnly) {
      person.end();
      if (!person.isElsewhere) content.activate();
      return void tell("This notebook can't be written: no cell was added. Next: save it under another name.");
    }
    page.notebook.NotebookActions.insertBelow(content);
    content.activeCell.model.sharedModel.setSource(source);
    await content.activeCell.ready;
    person.end();
    if (run) return runToWrite(link.notebook, person.isElsewhere);
    if (person.isElsewhere) return;
    content.mode = "edit";
    content.activeCell.editor?.setCursorPosition({ line: 1, column: 0 });
  };

  /** Run the chosen cell, and go into the box of the panel that it shows. @param {NotebookPanel} notebook @param {boolean} isElsewhere */
  const runToWrite = async ({ content, sessionContext }, isElsewhere) => {
    const cell = content.activeCell;
    const running = page.notebook.NotebookActions.run(content, sessionContext);
    const within = cell?.outputArea?.node;
    if (!within || isElsewhere) return;
    const back = () => document.activeElement === document.body && content.activate();
    const drop = entering.enter({
      within,
      from: content.node,
      field: () => within.querySelector(".tetrate-compare textarea[aria-label=Prompt]"),
      rest: () => within.querySelector(".tetrate-sign-in") ? back() : entering.leave(),
      isWanted: () => !cell.isDisposed && links.front?.notebook.content === content,
    });
    if (await running) return;
    drop();
    back();
  };

  /** Add a prompt with the chosen cell's source; braces in it name no variables there. */
  const askCell = () => {
    const model = links.front?.notebook.content.activeCell?.model;
    const source = model?.sharedModel.getSource() ?? "";
    let fence = "```";
    while (source.includes(fence)) fence += "`";
    return addCell(
      `%%tetrate -n\n\n\n${fence}${model?.type === "code" ? "python" : "markdown"}\n${source}\n${fence}`,
      false,
    );
  };

  /** Name the cell of an output in the chat's box: its number stands for it only in the kernel that ran it as it is. */
  const askOutput = async (/** @type {Record<string, any>} */ { isMenu }) => {
    const node = isMenu && app.contextMenuHitTest((each) => each.classList.contains("jp-Cell"));
    const content = links.front?.notebook.content;
    const model = (isMenu ? content?.widgets.find((each) => each.node === node) : content?.activeCell)?.model;
    const { link, person } = await toWrite();
    if (!link?.kernel || !model) return person.end();
    const number = model.executionCount ?? 0;
    const ran = `__import__("tetrate_jupyter.lab.docked", fromlist=["ran"]).ran(${number}, ${
      JSON.stringify(model.sharedModel.getSource())
    })`;
    const reply = await link.kernel.requestExecute({
      code: "",
      silent: true,
      store_history: false,
      user_expressions: { ran },
      allow_stdin: false,
      stop_on_error: false,
    }).done.catch(() => null); // another kernel meanwhile
    person.end();
    if (reply?.content.user_expressions?.ran?.data?.["text/plain"] === "True") return panel.ask(`@[${number}] `);
    if (!person.isElsewhere) content?.activate();
    tell("This cell was changed since it ran, or another kernel ran it. Next: run it, then ask about its output.");
  };

  /** Make a notebook and open its chat. @param {string} [cwd] */
  const newChat = async (cwd) => {
    const kernelName = app.serviceManager.kernelspecs.specs?.default;
    const notebook = await app.commands.execute("notebook:create-new", { cwd, kernelName, isLauncher: true });
    await notebook.sessionContext.ready;
    if (await links.of(notebook).load()) panel.open("chat");
    else tell(more(links.of(notebook)));
  };

  /** Open the quickstart beside what is there, under a name that is free. Its text is the kernel's, which it needs anyway. */
  const quickstart = async (/** @type {{ cwd?: string }} */ { cwd = services.browser?.model.path ?? "" }) => {
    const { contents, sessions, kernelspecs } = app.serviceManager;
    let { path } = await contents.newUntitled({ path: cwd, type: "notebook" });
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    for (let number = 0, isNamed = false; !isNamed && number < 100; number += 1) { // renaming never overwrites
      await contents.rename(path, `${folder}quickstart${number ? `-${number}` : ""}.ipynb`).then((named) => {
        path = named.path;
        isNamed = true;
      }, () => {});
    }
    const session = await sessions.startNew({
      path,
      name: path,
      type: "notebook",
      kernel: { name: kernelspecs.specs?.default ?? "" },
    }).catch(() => null);
    const told = await session?.kernel?.requestExecute({
      code: "",
      silent: true,
      store_history: false,
      allow_stdin: false,
      stop_on_error: false,
      user_expressions: { found: '__import__("tetrate_jupyter.cli.notebook", fromlist=["shown"]).shown()' },
    }).done.catch(() => null); // it has ended: what was made is taken away again
    const content = told?.content.user_expressions?.found?.data?.["application/json"];
    if (content) {
      session?.dispose(); // the notebook's own connection is to be the one that hears of widgets
      await contents.save(path, { type: "notebook", format: "json", content });
      await app.commands.execute("docmanager:open", { path, factory: "Notebook" });
      return;
    }
    await session?.shutdown().catch(() => {});
    await contents.delete(path);
    tell(
      session
        ? "The kernel's environment hasn't the package, or an older one. Next: %pip install --upgrade tetrate-jupyter there."
        : "No Python kernel could be started: there is no quickstart.",
    );
  };

  /** @type {[string, string, (args: Record<string, any>) => unknown, (() => boolean)?][]} */
  const commands = [
    ["tetrate:load", "load in this notebook", async () => {
      await loaded();
    }],
    ["tetrate:chat", "chat", () => panel.open("chat")],
    ["tetrate:models", "models", () => panel.open("models")],
    ["tetrate:usage", "usage", () => panel.open("usage")],
    ["tetrate:compare", "compare models", () => addCell("%tetrate_compare", true)],
    ["tetrate:new-prompt-cell", "new prompt cell", () => addCell("%%tetrate\n", false)],
    ["tetrate:ask-cell", "ask about this cell", askCell],
    ["tetrate:ask-output", "ask about this output", askOutput],
    ["tetrate:sign-in", "sign in", () => panel.open("sign-in")],
    ["tetrate:sign-out", "sign out", async () => {
      (await loaded())?.do("sign-out");
    }, () => links.front?.state?.signed_in !== false],
  ];
  for (const [id, label, execute, isEnabled] of commands) {
    app.commands.addCommand(id, {
      label: (
        { isPalette },
      ) => (isPalette || /load|cell|output/.test(id)
        ? `${CATEGORY}: ${label}`
        : label[0].toUpperCase() + label.slice(1)),
      isEnabled: () => hasNotebook() && (isEnabled?.() ?? true),
      execute,
    });
    services.palette?.addItem({ command: id, category: CATEGORY, args: { isPalette: true } });
  }
  app.contextMenu.addItem({
    command: "tetrate:ask-output",
    selector: ".jp-Notebook .jp-CodeCell .jp-OutputArea-output",
    rank: 1,
    args: { isMenu: true },
  });
  app.commands.addCommand("tetrate:standing", { // the first lines of the status item's menu
    label: ({ label }) => String(label ?? CATEGORY),
    isEnabled: () => false,
    execute: () => {},
  });
  app.commands.addCommand("tetrate:quickstart", {
    label: ({ isPalette }) => (isPalette ? `${CATEGORY}: quickstart` : "Quickstart"),
    caption: "A notebook that shows in ten minutes what there is",
    icon: panel.widget.title.icon,
    execute: (args) =>
      quickstart(args).catch(({ message }) => void tell(`The quickstart can't be put here: ${message}`)),
  });
  services.palette?.addItem({ command: "tetrate:quickstart", category: CATEGORY, args: { isPalette: true } });
  if (services.launcher) {
    app.commands.addCommand("tetrate:new-chat", {
      label: "Chat",
      caption: "A new notebook with the chat beside it",
      icon: panel.widget.title.icon,
      execute: ({ cwd }) => newChat(cwd),
    });
    services.launcher.add({ command: "tetrate:new-chat", category: CATEGORY, rank: 1 });
    services.launcher.add({ command: "tetrate:quickstart", category: CATEGORY, rank: 2 });
  }
  links.listeners.add(() => app.commands.notifyCommandChanged());
  return loaded;
}
