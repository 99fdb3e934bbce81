"""What a run leaves on disk, and how it gets there: folder, files, checkpoints, log.

In come finished numbers and tensors. Calls no other room of the training floor.
"""
