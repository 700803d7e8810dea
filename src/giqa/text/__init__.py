"""Text in pictures: found by PP-OCRv5, and judged by how far its drawing is from real type (`giqa[text]`)."""

from .judge import TextFeatures, TextJudge
from .recognise import character_error_rate
from .text import TextFound, find_text

__all__ = ["TextFeatures", "TextFound", "TextJudge", "character_error_rate", "find_text"]
