"""Floor 5: didact's teacher and losses inside the training programs of others.

One file a library and kind of data, each imported by its own name: ``from didact.bridges.lightning
import Distillation``. In come models and losses. Calls the floors below; nothing imports a bridge.
"""
