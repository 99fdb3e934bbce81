"""The tests; rooms mirror ``src/didact``, support modules stand beside the tests that use them."""
