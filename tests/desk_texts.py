"""Texts of the desk, found in its templates and code. Run as a program it brings the .po files up to date."""

import ast
import sys
from importlib import resources
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from onshore.desk.texts import AREAS, LANGUAGES, SOURCE
from onshore.desk.who import ROLES

DESK = Path(str(resources.files("onshore.desk")))
OTHERS = [lang for lang in LANGUAGES if lang != SOURCE]
_ENV = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)


def area_of(path):
    """Whose texts a file of the desk speaks."""
    parts = path.relative_to(DESK).parts
    return parts[1] if len(parts) > 2 and parts[0] in ("pages", "templates") and parts[1] in ROLES else "common"


def of_template(path):
    """(text, or one and many) of a template; whatever is translated is a constant: a value would not be escaped."""
    tree = _ENV.parse(path.read_text("utf-8"))
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in ("_", "gettext", "ngettext"):
            said = call.args[: 2 if call.node.name == "ngettext" else 1]
            assert all(isinstance(one, nodes.Const) for one in said), f"{path.name}:{call.lineno}"
            yield tuple(one.value for one in said)


def of_code(path):
    """Texts that are marked with T in a module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "T":
            assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"
            yield (node.args[0].value,)


def used():
    """Every text by area."""
    found = {area: set() for area in AREAS}
    for path in DESK.rglob("*"):
        if path.suffix in (".html", ".py"):
            found[area_of(path)] |= set(of_template(path) if path.suffix == ".html" else of_code(path))
    return found


def kept(lang, area):
    """Texts of a .po file: key to what it is in that language."""
    raw = (DESK / "locales" / lang / f"{area}.po").read_bytes()
    catalogue = read_po(BytesIO(raw), locale=lang.replace("-", "_"), abort_invalid=True)
    return {
        (m.id if isinstance(m.id, tuple) else (m.id,)): (m.string if isinstance(m.string, tuple) else (m.string,))
        for m in catalogue
        if m.id and not m.fuzzy
    }


def brought_up_to_date(lang, area):
    """Write a .po file anew: what is missing with no translation, what nobody uses left out; how many have none."""
    wanted = used()[area] if area == "common" else used()[area] - used()["common"]
    known = kept(lang, area)
    catalogue = Catalog(locale=lang.replace("-", "_"), fuzzy=False)
    for key in sorted(wanted):
        said = known.get(key, ("",))
        catalogue.add(key if len(key) > 1 else key[0], said if len(key) > 1 else said[0])
    out = BytesIO()
    write_po(out, catalogue, width=110, omit_header=True, sort_output=True)
    header = f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Language: {lang}\\n"\n\n'
    (DESK / "locales" / lang / f"{area}.po").write_text(header + out.getvalue().decode().lstrip(), "utf-8")
    return sum(not all(known.get(key, ("",))) for key in wanted)


if __name__ == "__main__":
    for language in OTHERS:
        for name in sys.argv[1:] or AREAS:
            sys.stdout.write(f"{language}/{name}.po: {brought_up_to_date(language, name)} to translate\n")
