"""What a page says about itself: JSON-LD, meta tags, microdata, and what stands beside the headline."""
