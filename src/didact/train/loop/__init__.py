"""What every training loop needs: devices, schedules, finding models and data, evaluation, export.

In come models, batches and settings. Calls ``record``.
"""
