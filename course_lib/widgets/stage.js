// The stage: shows a picture that Python drew and sends back where the reader points.
//
// One widget serves every view of the course. What the pointer or the keys change is `value`, from
// `low` to `high`. With `frames` the stage turns its own pages and needs no kernel. With `levels`
// the reader draws: `value` chooses a knot and the height of the pointer moves it.

const STEPS = {
  ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1,
  PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity,
};

const between = (low, x, high) => Math.min(high, Math.max(low, x));
const numbers = (text) => text.split(",").map(Number);

function onSteps(x, low, high, step) {
  const nearest = low + Math.round((between(low, x, high) - low) / step) * step;
  return Number(between(low, nearest, high).toFixed(10));
}

// Frames are leafed through here alone; anything else is for the kernel to answer.
function tell(model) {
  if (!model.get("frames").length) model.save_changes();
}

// JupyterLab listens to keys before anyone else: without this, "d" "d" here deletes the cell. It
// looks at the focused element alone, which may be any control of the view around the stage.
function guardKeys(el) {
  if (!el.isConnected) return requestAnimationFrame(() => guardKeys(el));
  (el.closest(".cg-view") ?? el).addEventListener("focusin", (event) =>
    event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
}

// Buttons that leaf through the frames, one at a time or by themselves.
function player(model) {
  const bar = document.createElement("div");
  bar.className = "cg-player";
  let playing = null;
  const go = (value) => { model.set("value", value); tell(model); };
  const turn = (pages) =>
    go(between(model.get("low"), model.get("value") + pages, model.get("high")));
  const stop = () => { clearInterval(playing); playing = null; play.textContent = "Play"; };
  const button = (name, action) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = name;
    made.addEventListener("click", action);
    bar.append(made);
    return made;
  };
  button("Back", () => { stop(); turn(-1); });
  const play = button("Play", () => {
    if (playing !== null) return stop();
    if (model.get("value") >= model.get("high")) go(model.get("low"));
    play.textContent = "Pause";
    playing = setInterval(() => {
      if (!bar.isConnected || model.get("value") >= model.get("high")) return stop();
      turn(1);
    }, model.get("pace"));
  });
  button("Next", () => { stop(); turn(1); });
  return bar;
}

function render({ model, el }) {
  const stage = document.createElement("div");
  stage.className = "cg-stage";
  stage.tabIndex = 0;
  stage.setAttribute("role", "slider");
  const live = document.createElement("div");
  live.className = "cg-live";
  live.setAttribute("aria-live", "polite");
  el.append(stage, live);
  if (model.get("frames").length) stage.before(player(model));
  guardKeys(el);

  let still = null, moving = null;
  const sketching = () => model.get("levels").length > 0;

  // What did not change is not parsed again: of a step, that is all but the point.
  function lay(below, above) {
    if (below !== still) {
      stage.innerHTML = below + above;
    } else if (above !== moving) {
      const stays = below ? 1 : 0;
      while (stage.childElementCount > stays) stage.lastElementChild.remove();
      stage.insertAdjacentHTML("beforeend", above);
    }
    still = below;
    moving = above;
  }

  function draw() {
    const frames = model.get("frames");
    const page = between(0, Math.round(model.get("value")), frames.length - 1);
    const says = frames.length ? model.get("sentences")[page] : model.get("says");
    lay(model.get("drawing"), frames.length ? frames[page] : model.get("over"));
    stage.classList.toggle("cg-sketch", sketching());
    stage.setAttribute("aria-label", model.get("label"));
    stage.setAttribute("aria-valuemin", model.get("low"));
    stage.setAttribute("aria-valuemax", model.get("high"));
    stage.setAttribute("aria-valuenow", model.get("value"));
    stage.setAttribute("aria-valuetext", says);
    // Whoever has the stage in focus hears its value already.
    if (document.activeElement !== stage) live.textContent = says;
  }

  function move(changes) {
    for (const [name, x] of Object.entries(changes)) model.set(name, x);
    tell(model);
  }

  function valueAt(x) {
    const low = model.get("low"), high = model.get("high");
    const tracks = stage.firstElementChild.dataset.tracks.split(";").map(numbers);
    const away = ([left, width]) => Math.max(left - x, x - left - width, 0);
    const [left, width] = tracks.reduce((a, b) => (away(b) < away(a) ? b : a));
    return onSteps(low + ((x - left) / width) * (high - low), low, high, model.get("step"));
  }

  function withLevel(knot, level) {
    const levels = [...model.get("levels")];
    const [low, high] = model.get("reach");
    const step = model.get("level_step");
    levels[knot] = Number(between(low, Math.round(level / step) * step, high).toFixed(10));
    return levels;
  }

  function levelAt(y) {
    const [top, height] = numbers(stage.firstElementChild.dataset.field);
    const [low, high] = model.get("reach");
    return high - ((y - top) / height) * (high - low);
  }

  function point(event) {
    const svg = stage.firstElementChild, place = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / place.width;
    const value = valueAt((event.clientX - place.left) * scale);
    const changes = { value };
    if (sketching()) {
      changes.levels = withLevel(value, levelAt((event.clientY - place.top) * scale));
    }
    move(changes);
  }

  let dragging = false, latest = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !stage.firstElementChild?.dataset.tracks) return;
    event.preventDefault();
    dragging = true;
    stage.setPointerCapture(event.pointerId);
    stage.focus({ preventScroll: true });
    point(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!dragging) return;
    if (latest === null) requestAnimationFrame(() => { point(latest); latest = null; });
    latest = event;
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    stage.addEventListener(end, () => { dragging = false; });
  }

  stage.addEventListener("keydown", (event) => {
    const steps = STEPS[event.key];
    if (steps === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const many = steps * (event.shiftKey ? 10 : 1);
    const value = model.get("value");
    if (sketching() && ["ArrowUp", "ArrowDown", "PageUp", "PageDown"].includes(event.key)) {
      const level = model.get("levels")[value] + many * model.get("level_step");
      move({ levels: withLevel(value, level) });
    } else {
      const step = model.get("step");
      move({ value: onSteps(value + many * step, model.get("low"), model.get("high"), step) });
    }
  });

  model.on("change", draw);
  draw();
}

export default { render };
