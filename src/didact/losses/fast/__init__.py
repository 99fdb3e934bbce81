"""What makes a training step on a CPU quick: one autograd node, and arithmetic in one pass.

``kl_rows`` serves Hinton's loss and what is made of it, ``closed_form`` the other losses on logits,
``features`` those on features; ``node`` carries the gradients of all three and says where it can
serve. In come tensors that ``kit`` has checked and the plain formula, which serves everywhere else.
Calls ``kit``.
"""
