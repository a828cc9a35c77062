"""Looks: what must be well at a site, for `onshore check` and for the pages that say so; no page is made here."""
