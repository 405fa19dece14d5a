// What a comparison comes to: votes while the names are hidden, what was picked, and which model is in use from now on.

// `goOn` opens the next prompt, `home` moves the focus to the answers, where digits vote; `opened()` tells whether what is asked is
// unfolded, which has the next step then.
function decided({ send }, { goOn, home, opened }) {
  let all = /** @type {any} */ ({});
  let isUsed = false;
  let wanted = /** @type {any} */ (null); // which of the buttons is the next step
  const votes = h("span", { class: "tetrate-quiet tetrate-number" });
  const howTo = h("span", { class: "tetrate-grow" });
  const onward = worded("right", "Next prompt", goOn, { class: "tetrate-button tetrate-onward", hidden: true });
  const reveal = h(
    "button",
    {
      type: "button",
      class: "tetrate-button",
      onclick: () => {
        send("blind", { wanted: false });
        home();
      },
    },
    icon("eye"),
    h("span", {}, "Reveal"),
  );
  const blindly = h("div", { class: "tetrate-ask", hidden: true }, howTo, votes, onward, reveal);
  const picked = h("strong", { dir: "auto" });
  const useName = h("span", { class: "tetrate-clip" });
  const since = h("span", { class: "tetrate-whole" }, "from now on");
  const use = h(
    "button",
    {
      type: "button",
      class: "tetrate-button tetrate-main tetrate-use",
      "aria-pressed": "false",
      onclick: () => send("continue", { key: all.picks[0] }),
    },
    "Use ",
    useName,
    since,
  );
  const where = h("span", { class: "tetrate-quiet tetrate-grow", role: "status" });
  const goBack = button("Undo", () => send("back", { key: all.picks[0] }), { title: UNDOES, hidden: true });
  const pick = h(
    "div",
    { class: "tetrate-ask tetrate-picked-one", hidden: true },
    icon("check"),
    picked,
    use,
    where,
    goBack,
  );
  const claim = h("strong", {});
  const detail = h("span", { class: "tetrate-quiet" });
  const tally = h(
    "div",
    { class: "tetrate-ask tetrate-tally", hidden: true },
    h("div", { class: "tetrate-grow" }, claim, h("br"), detail),
  );
  const chosen = h("span", { role: "status" });
  const unchoose = button("Undo", () => send("back", { key: all.using }), { title: UNDOES });
  const inUse = h("span", { class: "tetrate-undo tetrate-chosen", hidden: true }, icon("check"), chosen, unchoose);

  function draw() {
    const next = opened() ? null : all.blind ? wanted : isUsed ? null : use;
    for (const each of [use, onward, reveal]) each.classList.toggle("tetrate-main", each === next);
  }

  return {
    draw,
    nodes: [blindly, pick, tally],
    inUse,
    fields(told) {
      all = told;
      const has = told.prompts > 0;
      show(blindly, has && told.blind);
      show(reveal, !told.running);
      setText(claim, told.claim);
      setText(detail, told.detail);
      show(tally, Boolean(told.claim));
      setText(picked, told.pick);
      show(pick, Boolean(told.pick));
      const one = told.picks.length === 1 ? told.columns.find(([id]) => id === told.picks[0]) : null;
      show(use, Boolean(one));
      const used = Boolean(one) && told.using === one[0];
      if (use.getAttribute("aria-pressed") !== String(used)) {
        use.replaceChildren(...(used ? [icon("dot"), IN_USE] : ["Use ", useName, since]));
      }
      if (one) setText(useName, shortened(one[1]));
      use.setAttribute("aria-pressed", String(used));
      isUsed = used;
      setText(
        where,
        used
          ? "It is in use in this notebook, and the chat goes on from its answer."
          : told.voted
          ? "Votes are part of the result: of its .df, and of what its .save() writes."
          : "",
      );
      show(goBack, used && told.back);
      const user = told.columns.find(([id]) => id === told.using);
      setText(chosen, user ? `${user[1]} is in use in this notebook, and the chat goes on from its answer.` : "");
      show(unchoose, told.back);
      show(inUse, Boolean(user) && !(told.pick && used)); // else the line about the pick says it
    },
    // Says how far the votes have come; `answers` are the fields of those that are shown, none where prompts are in `rows`.
    count(told, answers, rows) {
      const keys = answers.slice(0, 9).map((_, place) => h("kbd", {}, String(place + 1)));
      if (told.running) howTo.replaceChildren("All answers are shown together, once the last is there.");
      else {howTo.replaceChildren(
          "Which is best? Vote with the buttons or the keys ",
          ...keys.flatMap((key) => [key, " "]),
          "; ties are fine.",
        );}
      const here = answers.filter((each) => each.vote).length;
      const every = told.prompts === 1 ? here > 0 : told.voted === told.prompts;
      setText(
        votes,
        told.running || rows
          ? ""
          : told.prompts > 1
          ? `${told.voted.toLocaleString("en")} of ${told.prompts.toLocaleString("en")} prompts voted`
          : `${here} of ${answers.length} voted`,
      );
      const goes = !told.running && !rows && !every && told.at[0] + 1 < told.prompts;
      if (!goes && document.activeElement === onward) home(); // where digits vote
      show(onward, goes);
      wanted = every ? reveal : here > 0 ? onward : null;
      draw();
    },
  };
}
