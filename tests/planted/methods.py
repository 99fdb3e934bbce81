"""Faults in ``didact.methods`` that the tests must see, one at a time."""

from __future__ import annotations

from tests.planted import Fault


def _fault(name: str, old: str, new: str) -> Fault:
    return Fault(name, "methods", old, new, "tests/methods/test_formulas.py")


def _of_maps(name: str, old: str, new: str) -> Fault:
    return Fault(name, "methods", old, new, "tests/methods/test_stage_maps.py")


def _of_tokens(name: str, old: str, new: str) -> Fault:
    return Fault(name, "methods", old, new, "tests/methods/test_transformers.py")


FAULTS = [
    _fault(
        "lwf ignores its weight",
        """terms["distillation"] = options.weight * losses.lwf(
                logits, self.teacher_logits(batch)""",
        """terms["distillation"] = losses.lwf(
                logits, self.teacher_logits(batch)""",
    ),
    _fault(
        "podnet's factor has no root",
        "factor = math.sqrt(seen / max(seen - known, 1))",
        "factor = seen / max(seen - known, 1)",
    ),
    _fault(
        "wa's and bic's shares are exchanged",
        """old = softened_kl(logits, old_logits, self.options.temperature)
        return {"classification": (1 - share) * classification, "distillation": share * old}""",
        """old = softened_kl(logits, old_logits, self.options.temperature)
        return {"classification": share * classification, "distillation": (1 - share) * old}""",
    ),
    _fault(
        "podnet's old vectors move during training",
        """        if self.stage.name == "train":
            self.put_old_vectors_back()""",
        """        if self.stage.name == "balanced":
            self.put_old_vectors_back()""",
    ),
    _fault(
        "der's classifier is not drawn anew",
        """self.reset_classifier(generator_for(seed, "classifier", self.task.index))""",
        """generator_for(seed, "classifier", self.task.index)""",
    ),
    _fault(
        "gem looks at the first task alone",
        "for columns in self.columns_of[:-1]]",
        "for columns in self.columns_of[:-1][:1]]",
    ),
    _fault(
        "ewc's anchors are the newest ones",
        "now[name] = torch.where(fisher[name] > 0, pulled / fisher[name], now[name])",
        "pulled.add_(0)",
    ),
    _fault(
        "foster distils from a booster in training mode",
        "self._boosters()[0].eval()",
        "self._boosters()[0].train()",
    ),
    _fault(
        "lwf's cross-entropy looks at all classes",
        """columns = self.task.columns if options.classes == "new" else None
        if self.stage""",
        """columns = None
        if self.stage""",
    ),
    _fault(
        "a temperature's factor is not squared",
        "temperature=temperature) / temperature**2",
        "temperature=temperature) / temperature",
    ),
    _fault(
        "icarl ignores its weight",
        """terms["distillation"] = options.weight * losses.lwf(
                logits, old, """,
        """terms["distillation"] = losses.lwf(
                logits, old, """,
    ),
    _fault(
        "eeil keeps the factor T^2",
        """terms["distillation"] = distance / temperature**2""",
        """terms["distillation"] = distance""",
    ),
    _fault(
        "eeil's fine-tuning has the old columns for the new classes",
        "self.trained_network(batch.images)[:, self.task.known :]",
        "self.trained_network(batch.images)[:, : self.task.seen - self.task.known]",
    ),
    _fault(
        "eeil's trained network is the old one",
        """if stage.name == "train" and self.trained_network is not None:""",
        """if stage.name == "none" and self.trained_network is not None:""",
    ),
    _fault(
        "bic's teacher has no correction",
        "old_logits = self.corrected(self.teacher_logits(batch))",
        "old_logits = self.teacher_logits(batch)",
    ),
    _fault(
        "bic corrects the old classes",
        "scale[known:], shift[known:] = alpha, beta",
        "scale[:known], shift[:known] = alpha, beta",
    ),
    _fault(
        "bic holds out a tenth whatever is asked for",
        "count = round(largest * self.options.held_out)",
        "count = round(largest * 0.1)",
    ),
    _fault(
        "wa and bic share by new classes",
        "share = self.task.known / self.task.seen",
        "share = 1 - self.task.known / self.task.seen",
    ),
    _fault(
        "weight alignment is turned round",
        "gamma = lengths[:old_classes].mean() / lengths[old_classes:].mean()",
        "gamma = lengths[old_classes:].mean() / lengths[:old_classes].mean()",
    ),
    _fault(
        "ssil's exemplars compete among all classes",
        "logits.masked_fill(is_old != old_column, -torch.inf)",
        "logits.masked_fill(~is_old & old_column, -torch.inf)",
    ),
    _fault(
        "ssil replays as many exemplars as new images",
        "self.options.replay_share * setting.batch_size / setting.world_size",
        "setting.batch_size / setting.world_size",
    ),
    _fault(
        "lucir's ratio is turned round",
        "math.sqrt(known / max(seen - known, 1))",
        "math.sqrt(max(seen - known, 1) / known)",
    ),
    _fault(
        "lucir has its usual number of negatives",
        "negatives=options.negatives,",
        "negatives=2,",
    ),
    _fault(
        "lucir ignores the weight of its margin",
        "options.margin_weight * self._margin(cosines, batch)",
        "self._margin(cosines, batch)",
    ),
    _fault(
        "lucir's old vectors move",
        """        \"\"\"Put the old classes' vectors back.\"\"\"
        self.put_old_vectors_back()""",
        """        \"\"\"Put the old classes' vectors back.\"\"\"""",
    ),
    _fault(
        "podnet's margin has no scale",
        "margin = self.options.margin * float(head.scale.detach())",
        "margin = self.options.margin",
    ),
    _fault(
        "podnet adds up over stages",
        "options.spatial * torch.stack(spatial).mean()",
        "options.spatial * torch.stack(spatial).sum()",
    ),
    _fault(
        "podnet ignores the weight of the embedding",
        "factor * options.flat * losses",
        "factor * losses",
    ),
    _fault(
        "der multiplies by its temperature",
        "self.grown.classifier(features) / self.options.temperature",
        "self.grown.classifier(features) * self.options.temperature",
    ),
    _fault(
        "the auxiliary classifier sees the oldest features",
        "self.auxiliary(features[:, -self.grown.width :])",
        "self.auxiliary(features[:, : self.grown.width])",
    ),
    _fault(
        "the auxiliary classifier has the first new class for old ones",
        "(batch.labels - self.task.known + 1).clamp(min=0)",
        "(batch.labels - self.task.known).clamp(min=0)",
    ),
    _fault(
        "memo's body is never frozen",
        "freeze_body=self.options.freeze_body",
        "freeze_body=False",
    ),
    _fault(
        "foster boosts with the other beta",
        "self._weights(self.options.boosting_beta)",
        "self._weights(self.options.compression_beta)",
    ),
    _fault(
        "foster's boosted logits are multiplied by the weights",
        "self.cross_entropy(logits / weights, batch.labels)",
        "self.cross_entropy(logits * weights, batch.labels)",
    ),
    _fault(
        "foster compresses to logits at another temperature",
        "F.log_softmax(logits / temperature, dim=-1)",
        "F.log_softmax(logits, dim=-1)",
    ),
    _fault(
        "springs count twice",
        "return total / 2",
        "return total",
    ),
    _fault(
        "ewc-online's information does not fade",
        "new, decay=self.options.decay), now",
        "new), now",
    ),
    _fault(
        "ewc-online's penalty does not fade",
        "options.weight * options.decay)",
        "options.weight)",
    ),
    _fault(
        "ewc takes all images",
        "[: self.options.samples]",
        "[:1000]",
    ),
    _fault(
        "ewc weighs the classes alike",
        "(log_prob.detach() / 2).exp() * log_prob",
        "log_prob",
    ),
    _fault(
        "mas forgets the earlier tasks",
        """add_importances(self.kept.under("importances"), new))
        self.kept.put("anchors", parameters_now(self.network))""",
        """add_importances({}, new))
        self.kept.put("anchors", parameters_now(self.network))""",
    ),
    _fault(
        "mas has half the stiffness",
        """penalty_weights_of(self.kept.under("importances"), 2 * self.options.weight)

    def after_task""",
        """penalty_weights_of(self.kept.under("importances"), self.options.weight)

    def after_task""",
    ),
    _fault(
        "si leaves the pull of the anchors in its path",
        "part -= weights[name] * moved",
        "part -= 0.0 * moved",
    ),
    _fault(
        "si's path has the other sign",
        """self.kept[f"path.{name}"] -= gradient""",
        """self.kept[f"path.{name}"] += gradient""",
    ),
    _fault(
        "si divides by the distance",
        "((end[name] - start[name]).square() + damping)",
        "((end[name] - start[name]).abs() + damping)",
    ),
    _fault(
        "gem ignores its strength",
        "strength=self.options.strength",
        "strength=0.5",
    ),
    _fault(
        "agem turns every gradient",
        "    if agreement >= 0:",
        "    if agreement >= 1e30:",
    ),
    _fault(
        "agem draws one batch",
        "self.options.reference_batches * self.setting.batch_size",
        "self.setting.batch_size",
    ),
    _fault(
        "der++ adds up over classes",
        "(outputs or known.sum(1).clamp(min=1))",
        "(outputs or 1)",
    ),
    _fault(
        "der++ weighs labels with alpha",
        "options.beta * self.cross_entropy(again",
        "options.alpha * self.cross_entropy(again",
    ),
    _fault(
        "replay shows its images in every epoch",
        "self.memory.streams and self.moment.epoch == 0",
        "self.memory.streams",
    ),
    _fault(
        "slda shrinks the other way",
        "(1 - epsilon) * covariance + epsilon * unit",
        "epsilon * covariance + (1 - epsilon) * unit",
    ),
    _fault(
        "slda's bias has no half",
        "(-(means * weight.T).sum(1) / 2)",
        "(-(means * weight.T).sum(1))",
    ),
    _fault(
        "ranpac solves for this task alone",
        """self.kept.get("gram", hidden.new_zeros(())) + hidden.T @ hidden""",
        "hidden.T @ hidden",
    ),
    _fault(
        "ranpac has a fixed penalty",
        "return min(errors)[1]",
        "return max(errors)[1]",
    ),
    _fault(
        "simplecil's sums are of this task alone",
        """self.kept["sums"] = extended(self.kept.get("sums"), sums) + sums""",
        """self.kept["sums"] = sums""",
    ),
    _fault(
        "the mean of exemplars takes features of any length",
        "directions = F.normalize(features.double(), dim=-1)",
        "directions = features.double()",
    ),
    _fault(
        "joint sees its task alone",
        "sees_all_tasks = True",
        "sees_all_tasks = False",
    ),
    _fault(
        "the first task's binary targets are missing",
        "targets = F.one_hot(labels, logits.shape[-1]).to(logits.dtype)",
        "targets = logits * 0.0",
    ),
    _fault(
        "joint from scratch goes on from the network before",
        "if self.options.from_scratch:",
        "if False:",
    ),
    _fault(
        "lwf's warm-up moves the old outputs",
        "now[: self.task.known] = was",
        "pass",
    ),
    _fault(
        "means have no mirror images",
        "lambda images: self.features(images.flip(-1))",
        "self.features",
    ),
    _of_maps("podnet looks at maps after ReLU", 'return MapPlace(relu, "input")', "break"),
    _of_maps("podnet compares the stem", 'if p != "stem"]', "]"),
    _of_tokens(
        "l2p takes the farthest prompts",
        "similarities(query, self.keys).topk(options.chosen, dim=1)",
        "similarities(query, self.keys).topk(options.chosen, dim=1, largest=False)",
    ),
    _of_tokens(
        "l2p reads the class token",
        "body.after(tokens)[:, 1 : 1 + chosen.shape[1]]",
        "body.after(tokens)[:, :1]",
    ),
    _of_tokens(
        "dualprompt trains under the prompt that the key chooses",
        "expert = self.experts[-1].expand(len(query), -1, -1, -1, -1)",
        "expert = torch.stack(list(self.experts))[\n"
        "            similarities(query, torch.stack(list(self.keys))).argmax(1)\n"
        "        ]",
    ),
    _of_tokens(
        "a task's prompt begins anew",
        "kept[-1].copy_(kept[-2])",
        "pass",
    ),
    _of_tokens(
        "coda-prompt weighs without its attention",
        "attended = F.normalize(query[:, None] * attention, dim=-1)",
        "attended = F.normalize(query[:, None] + 0 * attention, dim=-1)",
    ),
    _of_tokens(
        "slca normalises over all classes at once",
        "torch.split(logits, list(sizes), dim=1)",
        "[logits]",
    ),
    _of_tokens(
        "slca's network learns as fast as its classifier",
        '"factor": self.options.slow',
        '"factor": 1.0',
    ),
    _of_tokens(
        "ease compares in the new subspace",
        "before = F.normalize(measured[:, own], dim=-1)",
        "before = F.normalize(measured[:, later], dim=-1)",
    ),
    _of_tokens(
        "ease weighs all subspaces alike",
        "weights[torch.arange(len(owners), device=owners.device), owners] = 1.0",
        "pass",
    ),
    _of_tokens(
        "aper forgets what the network was",
        "return torch.cat([before, self.network.features(images)], dim=1)",
        "return torch.cat([before * 0, self.network.features(images)], dim=1)",
    ),
]
"""A fault's old text occurs exactly once in the floor."""
