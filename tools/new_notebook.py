"""Begin a notebook and its exercise: both run and pass every test before you write a word.

python tools/new_notebook.py 15_distances "Distances"
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "tools" / "template"


def main(name, title):
    if not re.fullmatch(r"\d\d_[a-z][a-z_]*", name):
        sys.exit(f"{name!r} is no name for a notebook: two digits and a topic, as 15_distances.")
    number, topic = name.split("_", 1)
    places = {
        "notebook.ipynb": ROOT / "notebooks" / f"{name}.ipynb",
        "exercise.ipynb": ROOT / "solutions" / name / f"{topic}.ipynb",
        "rubric.py": ROOT / "solutions" / name / "rubric.py",
    }
    words = {"NN_topic": name, "NN-topic": name.replace("_", "-"), "TOPIC": topic}
    words |= {"NUMBER": str(int(number)), "TITLE": title}
    if there := [str(place.relative_to(ROOT)) for place in places.values() if place.exists()]:
        sys.exit(f"Already there: {', '.join(there)}. Choose another number or topic.")
    for part, place in places.items():
        text = (TEMPLATE / part).read_text(encoding="utf-8")
        for word, meant in words.items():
            text = text.replace(word, meant)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        print(place.relative_to(ROOT))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"What is its name, and its title? {__doc__.strip().splitlines()[-1]}")
    main(*sys.argv[1:])
