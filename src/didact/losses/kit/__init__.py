"""What every loss stands on: registration, checks, reductions, precision, softmax.

Also what the losses with parameters share. In come tensors and names; nothing here knows a
paper. Calls no other room of the losses.
"""
