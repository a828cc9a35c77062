"""Routes: the one table of what the desk answers, and to whom.

To add a page:

1. Write a function `(site, who, asked) -> Page` in a module of `desk/pages/<role>/`. It takes what is asked from
   `asked` (`asked.where["case"]`, `asked.text("purpose")`), sees only what `who` may see, and returns
   `Page("<role>/<name>.html", {...})`: data in no language (codes, milliseconds, ids as text), which the `.json` twin
   of the path shows as it is. What may not be is raised as of `words.errors`, and becomes a page of its own.
2. Add `Route("/<role>/<name>", function, roles=("<role>",), nav=T("Name"))` to `ROUTES` of the role's package. A path
   begins with the role; without `nav` it is not in the navigation.
3. An act is the same for `method="POST"`: it does what it does by the rooms below, and returns
   `Moved("/where/to", T("What is told there once"), data={...})`. Its form carries `{{ parts.csrf() }}`.
4. Write `templates/<role>/<name>.html`; begin with `{% extends "_base.html" %}` and take parts from `_parts.html`, as
   `/patterns` shows them. Every text is `{{ _("English") }}` and stands in `locales/<language>/<role>.po`; the test of
   texts says which are missing, and which nobody uses any more.
5. Test it as `tests/unit/desk/` does: `desk.as_("officer").get("/officer/…")`. The walk over this table already asks
   of each route whether it refuses other roles, has a twin, and takes no form without its token.
"""

from onshore.desk.pages import engineer, entrance, officer, operator, owner, patterns, regulator
from onshore.desk.route import Route
from onshore.words.errors import Broken

ROUTES: tuple[Route, ...] = (
    *entrance.ROUTES,
    *patterns.ROUTES,
    *owner.ROUTES,
    *engineer.ROUTES,
    *officer.ROUTES,
    *regulator.ROUTES,
    *operator.ROUTES,
)


def refuse_doubled(routes: tuple[Route, ...]) -> None:
    """Broken where two routes have one method and path: the second would never be asked."""
    known = set[tuple[str, str]]()
    for route in routes:
        if (route.method, route.path) in known:
            raise Broken(f"two routes are {route.method} {route.path}")
        known.add((route.method, route.path))
