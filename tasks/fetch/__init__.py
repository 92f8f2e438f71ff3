"""From a source to pages: feeds, sitemaps, a polite client, archives and folders."""
