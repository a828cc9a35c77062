"""An auditor's copy of a site's logs, fetched over HTTP and checked before it counts."""
