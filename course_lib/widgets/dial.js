// A slider with a name: the browser's own range input, which every screen reader knows.

function render({ model, el }) {
  const label = document.createElement("label");
  const name = document.createElement("span");
  const input = document.createElement("input");
  const readout = document.createElement("span");
  label.className = "cg-dial";
  // JupyterLab listens to keys before anyone else: without this, "d" "d" here deletes the cell.
  input.setAttribute("data-lm-suppress-shortcuts", "true");
  readout.className = "cg-readout";
  readout.setAttribute("aria-hidden", "true");
  input.type = "range";
  label.append(name, input, readout);
  el.append(label);

  function draw() {
    const value = model.get("value");
    name.textContent = model.get("name");
    input.min = model.get("low");
    input.max = model.get("high");
    input.step = model.get("step");
    input.value = value;
    readout.textContent = value.toFixed(model.get("digits")).replace("-", "−");
  }

  input.addEventListener("input", () => {
    model.set("value", Number(input.value));
    model.save_changes();
  });
  // The arrows belong to the slider and not to the notebook around it.
  input.addEventListener("keydown", (event) => event.stopPropagation());
  model.on("change", draw);
  draw();
}

export default { render };
