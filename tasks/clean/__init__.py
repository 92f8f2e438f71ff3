"""From bytes to a draft: decoding, the article's body, its metadata."""
