"""How Heard looks: base pages, components, tokens, icons, small custom elements."""
