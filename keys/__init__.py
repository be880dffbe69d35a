"""Makes, keeps and derives keys, and is the only place that can open a sealed proof."""
