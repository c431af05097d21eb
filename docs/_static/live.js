// Views without a kernel: what a notebook packed beside a picture, on the stage of JupyterLab.
// Whatever fails here leaves the picture where it is.

import choice from "./choice.js";
import stage from "./stage.js";

// As much of anywidget's model as a view needs when nobody answers from afar.
class Model {
  #state;
  #listeners = [];

  constructor(state) {
    this.#state = state;
  }

  get(name) {
    return this.#state[name];
  }

  set(name, value) {
    if (this.#state[name] === value) return;
    this.#state[name] = value;
    for (const [event, respond] of this.#listeners) {
      if (event === "change" || event === `change:${name}`) respond();
    }
  }

  on(event, respond) {
    this.#listeners.push([event, respond]);
  }

  save_changes() {}
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(inflated).json();
}

// First the question, and what follows when the reader has committed to an answer.
function ask({ question, choices, answer, verdicts }, el, then) {
  const model = new Model({ question, choices, picked: -1, right: -1, verdict: "" });
  model.on("change:picked", () => {
    model.set("right", answer);
    model.set("verdict", verdicts[model.get("picked")]);
    then();
  });
  choice.render({ model, el });
}

// The lower share of the printed picture: what follows the question.
function unveil(printed, { says, share }) {
  const image = printed.querySelector("img");
  image.alt = says;
  image.style.aspectRatio = `${image.width} / ${image.height * share}`;
  image.style.objectFit = "cover";
  image.style.objectPosition = "bottom";
  printed.hidden = false;
}

async function enliven(view) {
  const { asked, picture, ...state } = await unpack(view.dataset.view);
  const printed = view.closest(".cell_output").querySelector("a:has(> img)");
  const show = () => {
    if (picture) unveil(printed, picture);
    if (state.frames) stage.render({ model: new Model({ levels: [], ...state }), el: view });
  };
  view.classList.add("cg-view");
  asked ? ask(asked, view, show) : show();
  printed.hidden = true;
}

// The figures know JupyterLab's two themes; here the theme's own switch sets them.
function followTheme() {
  const page = document.documentElement;
  page.dataset.jpThemeLight = String(page.dataset.theme !== "dark");
}

followTheme();
new MutationObserver(followTheme).observe(document.documentElement, {
  attributeFilter: ["data-theme"],
});
document.querySelectorAll(".cg-offline").forEach(enliven);
