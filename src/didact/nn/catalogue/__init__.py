"""Models by name: the zoo, timm, torchvision, the user's own.

In comes a name. Calls ``inspection``; the zoo registers itself here.
"""
