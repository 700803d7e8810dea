"""What every page is made of: the reader of templates, axes, charts. A page stands next to what it shows."""
