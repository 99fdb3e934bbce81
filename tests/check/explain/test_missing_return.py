"""A traceback in the paste: a function without a return is its cause and is mended."""

from __future__ import annotations

import textwrap

import pytest

from didact.check.explain import explain

CODE = """
class DistilTrainer(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
        out_s = model(**inputs)
        with torch.no_grad():
            out_t = self.teacher(**inputs)
        kd = F.kl_div(F.log_softmax(out_s.logits / self.T, dim=-1),
                      F.{target}(out_t.logits / self.T, dim=-1), reduction="batchmean")
        loss = out_s.loss + kd * self.T ** 2

Traceback (most recent call last):
  File "train.py", line 88, in <module>
    trainer.train()
AttributeError: 'NoneType' object has no attribute 'mean'
"""


@pytest.mark.parametrize("target", ["softmax", "log_softmax"])
def test_the_missing_return_is_the_cause(target: str) -> None:
    told = explain(textwrap.dedent(CODE.replace("{target}", target)))
    assert told.asked is not None
    assert "`compute_loss` (line 2) has no `return`" in told.asked.answer.en
    assert "return (loss, out_s) if return_outputs else loss" in told.correction.source
    assert not any(line.en.startswith("If it is run as it is") for line in told.summary)
