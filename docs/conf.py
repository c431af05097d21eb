"""The site: notebooks as committed, exercises, guides, and the library's pages from its docstrings.

`make site` builds it. The source folder is the repository itself, so a link between a notebook, an
exercise and a guide leads to the same file here as on GitHub and on disk. Nothing is run and
nothing is fetched, neither while the site is built nor while it is read.
"""

import sys
from pathlib import Path

from course_lib import __version__

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "Custom gradients"
author = "the maintainers of the custom gradients course"
copyright = f"2026 {author}. Code: MIT. Text and pictures: CC BY 4.0"
version = release = __version__
language = "en"

root_doc = "docs/index"
include_patterns = [
    "docs/*.md",
    "docs/api/*.md",
    "notebooks/*.ipynb",
    "exercises/*/*.ipynb",
    "CHANGELOG.md",
]
exclude_patterns = [".*", "build", "**/.ipynb_checkpoints"]  # not even looked through

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "library",
    "mathml",
    "notebooks",
]

# -- text and notebooks ----------------------------------------------------------------------------

nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"
highlight_language = "text"  # what names no language is for a terminal
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# -- the library -----------------------------------------------------------------------------------

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_preserve_defaults = True
autosummary_generate = False
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
default_role = "code"
# A reference to a public name must arrive. Names from elsewhere cannot be looked up offline, and
# types that a room does not export have no page.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!course_lib\b).*"), ("py:.*", r"course_lib\.\w+\.\w+\..*")]

# -- how it looks ----------------------------------------------------------------------------------

html_theme = "sphinx_book_theme"
html_title = "Custom gradients"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_static_path = [
    "_static",
    "../course_lib/widgets/stage.css",
    "../course_lib/widgets/stage.js",
    "../course_lib/widgets/choice.js",
]
html_extra_path = ["_front"]
html_css_files = ["stage.css", "site.css"]
html_js_files = [("live.js", {"type": "module"})]
html_copy_source = True
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": "Custom gradients", "alt_text": "Custom gradients: the front page"},
    "search_bar_text": "Search",
    "toc_title": "On this page",
    "show_toc_level": 2,
    "navbar_persistent": [],  # the search stands in the sidebar
    "secondary_sidebar_items": {"**": ["page-toc"], "docs/index": []},
    "pygments_dark_style": "a11y-dark",
    "use_download_button": True,
    "use_fullscreen_button": False,
}
