"""Models that come as files or functions: weights of any wrapper, TorchScript, ONNX; their inputs.

In come paths and tensors; of a file nothing is unpickled but tensors. Calls no other room of the
networks.
"""
