"""The quick ways to a divergence on a CPU, and the autograd nodes that carry their gradients.

In come logits that ``kit`` has checked; the formula itself stands in the room above. Calls ``kit``.
"""
