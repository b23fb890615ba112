"""What all widgets share: the channel to the page, and what is shown where no widget can be."""
