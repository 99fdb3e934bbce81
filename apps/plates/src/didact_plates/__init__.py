"""didact-plates reads Chinese licence plates from photographs; an application built on didact."""

__version__ = "0.1.0"
