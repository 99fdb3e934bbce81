"""The training code around a loss: what is found there, what mends it, and what is left alone."""

from __future__ import annotations

import textwrap

import pytest

from didact.check.explain import explain

KD = "F.kl_div(F.log_softmax({s} / 3, 1), F.softmax({t} / 3, 1), reduction='batchmean') * 9"
LOOP = """
for a, b in batches:
    zs = student(a)
    with torch.no_grad():
        zt = teacher(a)
    loss = KD
    opt.zero_grad(); loss.backward(); opt.step()
"""


def _code(text: str) -> str:
    return textwrap.dedent(text).replace("KD", KD.format(s="zs", t="zt"))


FAULTY = {
    "replaced": ("KD309", "loss = loss + 5 *", LOOP.replace(
        "loss = KD\n", "loss = F.cross_entropy(zs, b)\n    loss = 5 * KD\n")),
    "unread term": ("KD309", "", LOOP.replace(
        "loss = KD\n", "ce = F.cross_entropy(zs, b)\n    soft = KD\n    loss = ce\n")),
    "sum over the steps": ("KE142", "batches:\n    soft = 0", "soft = 0\n" + LOOP.replace(
        "loss = KD", "soft += KD\n    loss = F.cross_entropy(zs, b) + 0.5 * soft").replace(
        "backward()", "backward(retain_graph=True)")),
    "written sum over the steps": ("KE142", "batches:\n    soft = 0", "soft = 0\n" + LOOP.replace(
        "loss = KD", "for zt in ts:\n        soft = soft + KD\n    loss = 5 * soft")),
    "evaluated in training mode": ("KE200", "student.eval()\n    for a, b in val_loader", """
        for epoch in range(9):
            student.train()
            for a, b in train_loader:
                optim.zero_grad()
                F.cross_entropy(student(a), b).backward()
                optim.step()
            hits = 0
            for a, b in val_loader:
                hits += (student(a).argmax(1) == b).sum().item()
        """),
    "average not written back": ("KE201", "p.data = 0.9 * p.data + 0.1 * q", """
        for p, q in zip(ema.parameters(), net.parameters()):
            p = 0.9 * p + 0.1 * q
        """),
    "clipped while scaled": ("KE202", "scaler.unscale_(opt)\n    torch.nn", LOOP.replace(
        "loss.backward(); opt.step()", "scaler.scale(loss).backward()\n"
        "    torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)\n    scaler.step(opt)")),
    "schedule of epochs": ("KE203", "opt.step()\n    sched.step()", """
        sched = MultiStepLR(opt, [30, 60])
        for epoch in range(90):
            for a, b in batches:
                opt.zero_grad()
                F.cross_entropy(student(a), b).backward()
                opt.step()
                sched.step()
        """),
    "student is the teacher": ("KD507", "student = copy.deepcopy(teacher)",
                               "student = teacher\n" + LOOP),
    "loop over teachers": ("KE122", "total += ", """
        total = F.cross_entropy(zs, b)
        for zt in teacher_logits:
            total = KD
        total.backward()
        """),
    "loop, named first": ("KE122", "total = 0", """
        for zt in teacher_logits:
            kl = KD
            total = 0.5 * kl
        loss = F.cross_entropy(zs, b) + total
        loss.backward()
        """),
    "second name": ("KD507", "prev_net = copy.deepcopy(net)\nfor", """
        for epoch in range(9):
            prev_net = net
            for a, b in batches:
                zs = net(a)
                with torch.no_grad():
                    zt = prev_net(a)
                loss = F.cross_entropy(zs, b) + KD
                loss.backward()
        """),
    "schedule": ("KE150", "a_now * F.cross", """
        def mix(zs, zt, b, alpha, epoch):
            a_now = alpha * (1 - epoch / 100)
            return alpha * F.cross_entropy(zs, b) + KD
        """),
    "schedule behind": ("KE150", "cur_T = T - step / 100\n    loss", """
        for step, (zs, zt) in enumerate(pairs):
            loss = F.kl_div(F.log_softmax(zs / T, 1), F.softmax(zt / T, 1),
                            reduction='batchmean') * T ** 2
            cur_T = T - step / 100
            loss.backward()
        """),
    "mask": ("KE150", "(kl * keep).sum() / keep.sum()", """
        def seq(zs, zt, labels):
            keep = (labels != -100).float()
            kl = F.kl_div(F.log_softmax(zs, -1), F.softmax(zt, -1), reduction='none').sum(-1)
            return kl.mean()
        """),
    "sum not gone back from": ("KE168", "loss.backward()", LOOP.replace(
        "loss = KD\n", "ce = F.cross_entropy(zs, b)\n    soft = KD\n    loss = ce + soft\n"
    ).replace("loss.backward", "ce.backward")),
    "discarded": ("KE151", "    loss = loss / len(ts)\n    return", """
        def mean_kd(zs, ts):
            loss = 0
            for zt in ts:
                loss += KD
                loss / len(ts)
            return loss
        """),
    "moved": ("KE151", "a = a.to(device)", LOOP.replace(
        "    zs =", "    a.to(device)\n    zs =")),
    "compared": ("KE151", "p.requires_grad = False", """
        for p in teacher.parameters():
            p.requires_grad == False
        """ + textwrap.indent(LOOP, " " * 8)),
    "flag of a module": ("KE151", "teacher.requires_grad_(False)",
                         "teacher.requires_grad = False\n" + LOOP),
    "not called": ("KE151", "opt.zero_grad()", LOOP.replace("zero_grad();", "zero_grad;")),
    "no step": ("KE152", "opt.step()", LOOP.replace("; opt.step()", "")),
    "no backward": ("KE152", "loss.backward()", LOOP.replace("loss.backward(); ", "")),
    "never reset": ("KE153", "    run = 0\n", """
        run = 0
        for epoch in range(9):
            for zs, zt in pairs:
                loss = KD
                loss.backward()
                run += loss.item()
            print(epoch, run / len(pairs))
        """),
    "graph reused": ("KE154", "no_grad():\n    zt = teacher(a)", """
        zt = teacher(a)
        for _ in range(5):
            zs = student(a)
            loss = KD
            opt.zero_grad(); loss.backward(); opt.step()
        """),
    "old torch": ("KE156", "loss.item()", LOOP + "    print(loss.data[0])\n"),
    "volatile": ("KE157", "teacher(a)", LOOP.replace(
        "teacher(a)", "teacher(Variable(a, volatile=True))")),
    "penalty": ("KE159", "(p - old[n])", """
        def ewc(net, fisher, old):
            total = 0
            for n, p in net.named_parameters():
                total += (fisher[n] * (p.detach() - old[n]) ** 2).sum()
            return total
        """),
    "no copies": ("KE163", "p.detach().clone()", """
        star = {n: p.data for n, p in net.named_parameters()}
        reg = sum((w * (p - star[n]) ** 2).sum() for n, p in net.named_parameters())
        loss = F.cross_entropy(net(a), b) + reg
        loss.backward()
        """),
    "no return": ("KE160", "return loss", """
        def kd_loss(zs, zt):
            loss = KD
        """),
    "outputs": ("KE161", "(loss, out) if return_outputs else loss", """
        class Distil(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
                out = model(**inputs)
                zs = out.logits
                with torch.no_grad():
                    zt = self.teacher(**inputs).logits
                loss = KD
                return loss
        """),
    "scheduler": ("KE164", "", "plan = torch.optim.lr_scheduler.StepLR(opt, 9)\n" + LOOP),
    "student evaluated": ("KE165", "student.train()", "student.eval()\n" + LOOP),
    "student frozen": ("KE166", "teacher.parameters()", """
        for p in student.parameters():
            p.requires_grad = False
        """ + textwrap.indent(LOOP, " " * 8)),
    "optimiser anew": ("KE167", "", LOOP.replace(
        "    zs =", "    opt = torch.optim.Adam(student.parameters())\n    zs =")),
    "another optimiser": ("KE135", "one.zero_grad()", """
        one = torch.optim.SGD(student.parameters(), lr=0.1)
        two = torch.optim.SGD(teacher.parameters(), lr=0.1)
        """ + textwrap.indent(LOOP, " " * 8).replace("opt.zero", "two.zero").replace(
        "opt.step", "one.step")),
    "order": ("KD511", "opt.zero_grad(); loss.backward()", LOOP.replace(
        "opt.zero_grad(); loss.backward()", "loss.backward(); opt.zero_grad()")),
    "student without graph": ("KD504", "zs = student(a)\nloss", """
        with torch.no_grad():
            zs = student(a)
            zt = teacher(a)
        loss = KD
        loss.backward()
        """),
    "copy in training mode": ("KE155", "old_net.eval()", """
        old_net = copy.deepcopy(net)
        net.train()
        """ + textwrap.indent(LOOP, " " * 8).replace("teacher(", "old_net(").replace(
        "student(", "net(")),
    "alignment upside down": ("KE220", "g = old / new", """
        @torch.no_grad()
        def align(fc, n):
            new = fc.weight[n:].norm(dim=1).mean()
            old = fc.weight[:n].norm(dim=1).mean()
            g = new / old
            fc.weight[n:] *= g
        """),
    "widened head": ("KE221", "log_softmax(zs[:, :n_old] / 3", """
        old_net = copy.deepcopy(net)
        net.expand_head(n_old + n_new)
        for a, b in batches:
            zs = net(a)
            with torch.no_grad():
                zt = old_net(a)
            loss = F.cross_entropy(zs, b) + KD
            loss.backward()
        """),
    "parameter written into": ("KE222", "net.fc.weight.data[:n] = w", """
        def widen(net, w, n, m):
            net.fc = nn.Linear(64, n + m)
            net.fc.weight[:n] = w
        """),
    "stored with its graph": ("KE223", "buffer.add(a, b, zs.detach())", """
        def step(net, buffer, a, b):
            zs = net(a)
            loss = F.cross_entropy(zs, b)
            buffer.add(a, b, zs)
            return loss
        """),
    "head anew": ("KE224", "net.fc.weight[:n_old] = old_net.fc.weight", """
        old_net = copy.deepcopy(net)
        net.fc = nn.Linear(64, n_old + n_new)
        """),
    "shares exchanged": ("KE225", "(1 - lam) * F.cross_entropy", """
        def loss(zs, zt, b, n_old, n_new):
            lam = n_old / (n_old + n_new)
            return lam * F.cross_entropy(zs, b) + (1 - lam) * KD
        """),
    "an old model of a method": ("KD507", "self.old_net = copy.deepcopy(self.net)", """
        def before(self):
            self.old_net = self.net

        def loss(self, a, b):
            zs = self.net(a)
            with torch.no_grad():
                zt = self.old_net(a)
            return F.cross_entropy(zs, b) + KD
        """),
    "kept in a condition": ("KE163", "p.detach().clone()", """
        def after(self):
            for n, p in self.net.named_parameters():
                if p.requires_grad:
                    self.w[n] += p.grad * (p.detach() - self.last[n])
                    self.last[n] = p.detach()
        """),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTY)
def test_a_mistake_of_the_training_is_found_and_mended(kind: str) -> None:
    code, mended, text = FAULTY[kind]
    told = explain(_code(text))
    assert code in {f.code for f in told.findings}
    assert mended in told.correction.source
    if mended:
        assert code not in {f.code for f in told.open_findings}


RIGHT = {
    "average written back": """
        for p, q in zip(ema.parameters(), net.parameters()):
            mixed = 0.9 * p + 0.1 * q
            p.data.copy_(mixed)
        for p, q in zip(ema.buffers(), net.buffers()):
            p.copy_(q)
        """,
    "schedule of batches": """
        sched = CosineAnnealingLR(opt, T_max=9 * len(batches))
        for epoch in range(9):
            for a, b in batches:
                opt.zero_grad()
                F.cross_entropy(student(a), b).backward()
                opt.step()
                sched.step()
        """,
    "confident samples alone": """
        with torch.no_grad():
            conf, y_hat = torch.softmax(teacher(a), dim=-1).max(dim=-1)
            mask = conf.ge(0.95)
        loss = (F.cross_entropy(student(a), y_hat, reduction='none') * mask).mean()
        """,
    "sum of numbers over the steps": LOOP.replace("loss = KD", "loss = KD\n    run += loss.item()"),
    "sum begun in each step": LOOP.replace(
        "loss = KD", "soft = 0\n    soft += KD\n    loss = F.cross_entropy(zs, b) + 0.5 * soft"
    ),
    "aligned": """
        @torch.no_grad()
        def align(fc, n):
            new = fc.weight[n:].norm(dim=1).mean()
            fc.weight[n:] *= fc.weight[:n].norm(dim=1).mean() / new
        """,
    "copied when widened": """
        net.expand_head(n_old + n_new)
        old_net = copy.deepcopy(net)
        old_net.eval()
        for a, b in batches:
            zs = net(a)
            with torch.no_grad():
                zt = old_net(a)
            loss = F.cross_entropy(zs, b) + KD
            opt.zero_grad(); loss.backward(); opt.step()
        """,
    "stored numbers": """
        def step(net, buffer, a, b):
            zs = net(a)
            loss = F.cross_entropy(zs, b)
            buffer.add(a, b, zs.detach())
            return loss
        """,
    "shares": """
        def loss(zs, zt, b, n_old, n_new):
            lam = n_old / (n_old + n_new)
            return (1 - lam) * F.cross_entropy(zs, b) + lam * KD
        """,
    "rows kept": """
        old_net = copy.deepcopy(net)
        net.fc = nn.Linear(64, n_old + n_new)
        with torch.no_grad():
            net.fc.weight[:n_old] = old_net.fc.weight
        """,
    "batches": """
        for a, b in data:
            loss = F.cross_entropy(net(a), b)
        print(loss.item())
        """,
    "another model each task": """
        for task in tasks:
            old_model = model
            model = build(task)
            for a, b in task:
                zs = model(a)
                with torch.no_grad():
                    zt = old_model(a)
                loss = F.cross_entropy(zs, b) + KD
                loss.backward()
        """,
    "shown at a prompt": """
        loss = KD
        loss * 4
        """,
    "modules move in place": "teacher.to(device)\nstudent.cuda()\nteacher.eval()\n" + LOOP,
    "reset behind": """
        run = 0
        for epoch in range(9):
            for zs, zt in pairs:
                loss = KD
                loss.backward()
                run += loss.item()
            print(epoch, run / len(pairs))
            run = 0
        """,
    "target detached": """
        zt = teacher(a).detach()
        teacher.eval()
        for _ in range(5):
            zs = student(a)
            loss = KD
            opt.zero_grad(); loss.backward(); opt.step()
        """,
    "schedule used": """
        def mix(zs, zt, b, alpha, epoch):
            a_now = alpha * (1 - epoch / 100)
            n = zs.size(0)
            return a_now * F.cross_entropy(zs, b) + KD
        """,
    "old model's parameters": """
        star = {n: p for n, p in old_net.named_parameters()}
        reg = sum((w * (p - star[n].detach()) ** 2).sum() for n, p in net.named_parameters())
        """,
    "copies": """
        star = {n: p.detach().clone() for n, p in net.named_parameters()}
        reg = sum((w * (p - star[n]) ** 2).sum() for n, p in net.named_parameters())
        """,
}


@pytest.mark.parametrize("kind", RIGHT)
def test_right_training_code_is_not_accused(kind: str) -> None:
    told = explain(_code(RIGHT[kind]))
    assert [f.code for f in told.findings if str(f.severity) != "info"] == []


def test_a_teacher_without_eval_is_a_remark_unless_the_words_know_better() -> None:
    told = {f.code: str(f.severity) for f in explain(_code(LOOP)).findings}
    assert told == {"KE155": "info"}
    said = explain(_code(LOOP) + "\nI never call teacher.eval(), does it matter?")
    assert [str(f.severity) for f in said.findings if f.code == "KE155"] == ["warning"]
    assert "teacher.eval()\nfor" in said.correction.source
    done = explain(_code(LOOP) + "\nteacher.eval() is called before the loop. Is this right?")
    assert not done.findings


@pytest.mark.parametrize(
    ("line", "message", "code", "mended"),
    [
        ("zs /= zs.norm(dim=1, keepdim=True)", "one of the variables needed for gradient "
         "computation has been modified by an inplace operation", "KE169", "zs = zs / zs.norm"),
        ("y = y.unsqueeze(1)", "0D or 1D target tensor expected, multi-target not supported",
         "KE162", "y = y\n"),
    ],
)  # fmt: skip
def test_the_cause_of_a_traceback_is_found(line: str, message: str, code: str, mended: str) -> None:
    text = f"zs = student(a)\nout = head(zs)\n{line}\nloss = F.cross_entropy(out, y)\n"
    told = explain(f"{text}loss.backward()\n\nRuntimeError: {message}\n")
    assert code in {f.code for f in told.findings}
    assert mended in told.correction.source


def test_a_moving_average_of_parameters_alone_is_remarked() -> None:
    text = """
        def follow(mean_net, net, m=0.99):
            for p, q in zip(mean_net.parameters(), net.parameters()):
                p.data.mul_(m).add_(q.data, alpha=1 - m)
        """
    assert "KE158" in {f.code for f in explain(_code(text)).findings}
    copied = text + "            for p, q in zip(mean_net.buffers(), net.buffers()):\n"
    copied += "                p.copy_(q)\n"
    assert "KE158" not in {f.code for f in explain(_code(copied)).findings}


def test_each_of_several_teachers_needs_no_graph() -> None:
    text = """
        outs = [one(a) for one in self.teachers]
        zt = torch.stack(outs).mean(0)
        zs = student(a)
        loss = KD
        """
    assert "KD502" in {f.code for f in explain(_code(text)).findings}
    spared = text.replace("outs = [", "with torch.no_grad():\n            outs = [")
    assert "KD502" not in {f.code for f in explain(_code(spared)).findings}


def test_softened_teachers_that_are_averaged_are_not_ready_made() -> None:
    text = """
        probs = sum(F.softmax(one(a) / T, -1) for one in teachers) / len(teachers)
        kd = F.kl_div(F.log_softmax(zs / T, -1), probs, reduction='batchmean') * T ** 2
        """
    assert "KD203" not in {f.code for f in explain(_code(text)).findings}


def test_a_cosine_schedule_of_the_temperature_is_followed() -> None:
    text = """
        def soft(zs, zt, b, epoch, t_max=8.0, t_min=1.0):
            T = t_min + 0.5 * (t_max - t_min) * (1 + math.cos(math.pi * epoch / 100))
            kl = F.kl_div(F.log_softmax(zs / T, 1), F.softmax(zt / T, 1), reduction='batchmean')
            return F.cross_entropy(zs, b) + kl * T ** 2
        """
    told = explain(_code(text))
    assert told.verdict.outcome == "equal"


def test_the_square_of_the_first_temperature_becomes_that_of_the_current_one() -> None:
    text = """
        def soft(zs, zt, b, epoch, T0=8.0):
            T = max(1.0, T0 * 0.95 ** epoch)
            kl = F.kl_div(F.log_softmax(zs / T, 1), F.softmax(zt / T, 1), reduction='batchmean')
            return F.cross_entropy(zs, b) + {}
        """
    for factor, mended in (("kl * T0 ** 2", "kl"), ("kl * T0 * T0", "kl")):
        told = explain(_code(text.format(factor)))
        assert "KD201" in {f.code for f in told.findings}
        assert f"{mended} * T0" not in told.correction.source


def test_a_loss_without_a_graph_trains_nothing_when_it_is_marked() -> None:
    text = LOOP.replace("    loss = KD", "    with torch.no_grad():\n        loss = KD").replace(
        "opt.zero_grad()", "loss.requires_grad_(True); opt.zero_grad()"
    )
    told = explain(_code(text))
    assert told.verdict.outcome == "departs"
    assert not any("side gets gradient" in n.explanation.en for n in told.statements)


def test_a_minus_in_front_of_scores_is_no_temperature() -> None:
    text = """
        ent = torch.stack([-(p * p.log()).sum(1) for p in ps], dim=1)
        w = F.softmax(ent, dim=1)
        """
    assert not any("temperature" in n.explanation.en for n in explain(_code(text)).statements)
