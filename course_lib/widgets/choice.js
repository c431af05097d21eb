// A question with choices: pick one, commit to it, and only then be told.

function render({ model, el }) {
  const group = document.createElement("fieldset");
  group.className = "cg-choice";
  // JupyterLab listens to keys before anyone else: without this, "d" "d" here deletes the cell.
  group.addEventListener("focusin", (event) =>
    event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
  const question = document.createElement("legend");
  question.textContent = model.get("question");
  group.append(question);

  const name = `cg-${Math.random().toString(36).slice(2)}`;
  const radios = model.get("choices").map((choice) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = name;
    label.append(radio, choice);
    group.append(label);
    return radio;
  });

  const commit = document.createElement("button");
  commit.type = "button";
  commit.textContent = "Commit";
  const verdict = document.createElement("p");
  verdict.setAttribute("role", "status");
  group.append(commit, verdict);
  el.append(group);

  function draw() {
    const picked = model.get("picked"), right = model.get("right");
    const committed = picked >= 0;
    radios.forEach((radio, k) => {
      if (committed) radio.checked = k === picked;
      radio.disabled = committed;
      radio.parentElement.classList.toggle("cg-right", committed && k === right);
    });
    commit.hidden = committed;
    commit.disabled = !radios.some((radio) => radio.checked);
    verdict.textContent = model.get("verdict");
  }

  group.addEventListener("change", draw);
  // The keys belong to the question and not to the notebook around it.
  group.addEventListener("keydown", (event) => event.stopPropagation());
  commit.addEventListener("click", () => {
    model.set("picked", radios.findIndex((radio) => radio.checked));
    model.save_changes();
  });
  for (const trait of ["picked", "right", "verdict"]) model.on(`change:${trait}`, draw);
  draw();
}

export default { render };
