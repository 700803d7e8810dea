"""giqa: how good is *this* generated image?"""

__version__ = "0.1.0"
