"""Forms of mistakes as strangers' code has them, and what looks like them and is right."""

from __future__ import annotations

import pytest

from didact.check import check_source

TORCH = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n"
FOUND = {
    "KD103 scores weigh log-probabilities": """
nets = [Net() for _ in range(3)]

def soft_loss(output, label):
    log_probs = F.log_softmax(output, dim=1)
    return -(label * log_probs).sum() / 32.0

for images, labels in loader:
    outputs = []
    with torch.no_grad():
        for net in nets:
            outputs.append(net(images))
        consensus = torch.mean(torch.stack(outputs), 0)
    for net in nets:
        loss = soft_loss(net(images), consensus)
        loss.backward()
""",
    "KD104 a logarithm of what nobody knows": """
def compute_loss(student, inputs, T):
    target = torch.log(inputs["predicted"] / T)
    log_probs = F.log_softmax(student(inputs["images"]) / T, dim=-1)
    return nn.KLDivLoss(reduction="batchmean")(log_probs, target)
""",
    "KD106 the caller exchanges them": """
def kd_loss(student_logits, teacher_logits):
    return F.kl_div(
        F.log_softmax(student_logits, dim=1),
        F.softmax(teacher_logits, dim=1),
        reduction="batchmean",
    )

def step(student_model, teacher_model, x):
    with torch.no_grad():
        t = teacher_model(x)
    s = student_model(x)
    loss = kd_loss(t, s)
    loss.backward()
""",
    "KD108 sigmoid before cross_entropy": """
class Net(nn.Module):
    def forward(self, x):
        return torch.sigmoid(self.fc(self.body(x)))

    def update(self, x, y):
        loss = nn.CrossEntropyLoss()(self.forward(x), y)
        loss.backward()
""",
    "KD108 the model is handed on": """
class Classifier(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.head = nn.Sequential(nn.Linear(8, n), nn.Softmax(dim=1))

    def forward(self, x):
        return self.head(x)

def update(net, batches):
    measure = nn.CrossEntropyLoss()
    for x, y in batches:
        loss = measure(net(x), y)
        loss.backward()

def task(net, batches):
    update(net, batches)

def main(batches):
    net = Classifier(10)
    task(net, batches)
""",
    "KD201 an average for the log has a symbol": """
TEMP = 5.0

def train(model, loader, optimizer):
    total, count = 0.0, 0
    for features, soft_labels in loader:
        optimizer.zero_grad()
        outputs = model(features)
        soft = nn.KLDivLoss(reduction="batchmean")(
            torch.log_softmax(outputs / TEMP, dim=1), soft_labels
        )
        hard = F.cross_entropy(outputs, soft_labels.argmax(dim=1))
        loss = 0.7 * soft + 0.3 * hard
        loss.backward()
        optimizer.step()
        total += loss.item()
        count += 1
    return total / count
""",
    "KD306 the label -100 is a default": """
def kd_loss(student_logits, teacher_logits, labels, temperature=2.0, ignore_index=-100):
    batch, length, vocab_size = student_logits.shape
    hard = F.cross_entropy(
        student_logits.view(-1, vocab_size), labels.view(-1), ignore_index=ignore_index
    )
    log_probs = F.log_softmax(student_logits / temperature, dim=-1)
    probs = F.softmax(teacher_logits / temperature, dim=-1)
    soft = F.kl_div(
        log_probs.view(-1, vocab_size), probs.view(-1, vocab_size), reduction="batchmean"
    )
    return hard + soft * temperature**2
""",
    "KD306 the mask is for the hard term": """
def kd_loss(student_logits, teacher_logits, labels, temperature):
    student_logits = student_logits.view(-1, student_logits.size(-1))
    teacher_logits = teacher_logits.view(-1, teacher_logits.size(-1))
    labels = labels.view(-1)
    soft = F.kl_div(
        F.log_softmax(student_logits / temperature, dim=-1),
        F.softmax(teacher_logits / temperature, dim=-1),
        reduction="batchmean",
    ) * temperature**2
    mask = labels != -100
    hard = F.cross_entropy(student_logits[mask], labels[mask])
    return 0.5 * soft + 0.5 * hard
""",
    "KD310 of two things that nobody knows": """
def js_divergence(p, q):
    p, q = torch.clamp(p, min=1e-10), torch.clamp(q, min=1e-10)
    m = (p + q) / 2
    left = F.kl_div(torch.log(p), m, reduction="batchmean")
    return 0.5 * left + 0.5 * F.kl_div(torch.log(q), m, reduction="batchmean")
""",
    "KD313 divided by the batch again": """
def step(teacher, student, x, optimizer):
    loss = 0.0
    for t, s in zip(teacher(x).attentions, student(x).attentions):
        loss += F.mse_loss(s, t.detach()) / (t.size(0) * t.size(1))
    loss = loss + 0.5 * F.mse_loss(student(x).logits, teacher(x).logits.detach())
    loss.backward()
""",
    "KD313 batchmean and the sum of a mask": """
def loss(student_logits, teacher_logits, labels, mask):
    log_probs = F.log_softmax(student_logits, dim=-1).view(-1, 100)
    probs = F.softmax(teacher_logits, dim=-1).view(-1, 100)
    soft = F.kl_div(log_probs, probs, reduction="batchmean") / mask.sum()
    return soft + F.cross_entropy(student_logits.view(-1, 100), labels.view(-1))
""",
    "KD401 the sizes say where the classes are": """
def consensus(scores, num_batches, size, num_classes):
    mean = torch.zeros((num_batches, size, num_classes))
    for score in scores:
        mean += score / len(scores)
    return mean.softmax(dim=1)
""",
    "KD401 reshaped before the softmax": """
def soften(logits, seq_len, vocab_size):
    return F.softmax(logits.view(-1, seq_len, vocab_size), dim=1)
""",
    "KD508 both in one optimiser": """
def train(batches, T):
    teacher = torch.load("best.p")
    student = Small()
    optimizer = torch.optim.SGD(list(teacher.parameters()) + list(student.parameters()), lr=0.1)
    for x, y in batches:
        optimizer.zero_grad()
        log_probs = F.log_softmax(student(x) / T, dim=1)
        target = F.softmax(teacher(x) / T, dim=1)
        loss = F.kl_div(log_probs, target, reduction="batchmean") * T * T
        loss.backward()
        optimizer.step()
""",
    "KD509 backward by an accelerator": """
def train(student, teacher, batches, accelerator):
    for x, y in batches:
        with torch.no_grad():
            t = teacher(x)
        s = student(x)
        loss = F.cross_entropy(s, y) + F.cross_entropy(t, y)
        accelerator.backward(loss)
""",
    "KD504 an object that only predicts": """
from ultralytics import YOLO

teacher = YOLO("large.pt")
student = YOLO("small.pt")

def distil(student_logits, teacher_logits, T):
    log_probs = F.log_softmax(student_logits / T, dim=1)
    return F.kl_div(log_probs, F.softmax(teacher_logits / T, dim=1), reduction="batchmean") * T**2

for images, labels in loader:
    loss = distil(student(images), teacher(images), 3.0)
    loss.backward()
""",
    "KD608 the other functional": """
import torch.functional as TF

def kd_loss(student_logits, teacher_logits):
    log_probs = TF.log_softmax(student_logits, dim=1)
    return TF.kl_div(log_probs, TF.softmax(teacher_logits, dim=1), reduction="batchmean")
""",
}
HINTS = {
    "KD508 without a gradient it stays": """
def train(batches, T):
    teacher = torch.load("best.p")
    student = Small()
    optimizer = torch.optim.SGD(list(teacher.parameters()) + list(student.parameters()), lr=0.1)
    for x, y in batches:
        optimizer.zero_grad()
        with torch.no_grad():
            t = teacher(x)
        log_probs = F.log_softmax(student(x) / T, dim=1)
        loss = F.kl_div(log_probs, F.softmax(t / T, dim=1), reduction="batchmean") * T * T
        loss.backward()
        optimizer.step()
""",
    "KD111 kept from zero before": """
def entropy(logits):
    probs = F.softmax(logits, dim=1)
    probs = probs + 1e-10
    return -(probs * torch.log(probs)).sum(1).mean()
""",
    "KD111 clamped": """
def soft_loss(student_logits, teacher_probs):
    log_probs = torch.log(torch.clamp(F.softmax(student_logits, dim=1), min=1e-8))
    return -(teacher_probs * log_probs).sum(1).mean()
""",
    "KD201 named after a method without it": """
def lwf_loss(student_logits, old_logits, labels, T=3.0):
    soft = F.kl_div(
        F.log_softmax(student_logits / T, dim=1),
        F.softmax(old_logits / T, dim=1),
        reduction="batchmean",
    )
    return F.cross_entropy(student_logits, labels) + soft
""",
    "KD201 the number may hold it": """
def loss(student_logits, teacher_logits, labels):
    soft = F.kl_div(
        F.log_softmax(student_logits / 3.0, dim=1),
        F.softmax(teacher_logits / 3.0, dim=1),
        reduction="batchmean",
    )
    return F.cross_entropy(student_logits, labels) + 4.5 * soft
""",
    "KD313 everything is divided alike": """
def train(model, loader):
    for x, labels in loader:
        loss = F.cross_entropy(model(x), labels) / len(labels)
        loss.backward()
""",
}
SILENT = {
    "KD201 the square is in an attribute": """
class Loss(nn.Module):
    def __init__(self, T, alpha):
        super().__init__()
        self.temperature = T
        self.gamma = T * T * alpha

    def forward(self, student_logits, labels, teacher_logits):
        soft = F.kl_div(
            F.log_softmax(student_logits / self.temperature, dim=1),
            F.softmax(teacher_logits / self.temperature, dim=1),
            reduction="batchmean",
        )
        return soft * self.gamma + F.cross_entropy(student_logits, labels)
""",
    "KD106 the input is an array": """
def ensemble(outputs, classes):
    q = torch.randn(10, requires_grad=True)
    picked = np.zeros(3)
    for index in range(3):
        picked[index] = q[classes[index]]
    return nn.KLDivLoss()(F.log_softmax(torch.tensor(picked), 0), F.softmax(net(outputs), 0))
""",
    "KD103 an advantage": """
def policy_loss(actor, critic, state, action):
    log_probs = F.log_softmax(actor(state), dim=1)
    value = critic(state).squeeze(1)
    return -(value.detach() * log_probs.gather(1, action).squeeze(1)).mean()
""",
    "KD106 both directions in a helper": """
def kl(log_p, log_q):
    return (log_p.exp() * (log_p - log_q)).sum(-1)

def losses(student_logits, teacher_logits):
    s, t = F.log_softmax(student_logits, dim=-1), F.log_softmax(teacher_logits, dim=-1)
    reverse_kl = kl(s, t)
    return reverse_kl.mean()
""",
    "KD203 a mixture at one temperature": """
def loss(text_logits, learned_logits, weight, T):
    mixed = weight * learned_logits / T + (1 - weight) * text_logits / T
    with torch.no_grad():
        target = F.log_softmax(mixed, dim=1)
    log_probs = F.log_softmax(text_logits / T, dim=1)
    return F.kl_div(log_probs, target, reduction="batchmean", log_target=True) * T**2
""",
    "KD303 a weight for each sample": """
def loss(student_logits, teacher_logits, labels):
    student_logits, teacher_logits = student_logits[:, :10], teacher_logits[:, :10]
    weight = F.cross_entropy(teacher_logits, labels, reduction="none").unsqueeze(1)
    target = F.softmax(weight * teacher_logits, dim=1)
    return F.kl_div(F.log_softmax(student_logits, dim=1), target, reduction="batchmean")
""",
    "KD304 of one class for each sample": """
def loss(student_logits, teacher_logits, label):
    target = label.reshape(len(label), -1)
    log_q = torch.gather(F.log_softmax(student_logits, dim=1), 1, target)
    p = torch.gather(F.softmax(teacher_logits, dim=1), 1, target)
    return -(p * log_q).mean()
""",
    "KD306 rows that a mask chose": """
def loss(logits, teacher_logits, labels, mask_positions):
    hard = F.cross_entropy(logits[mask_positions], labels[mask_positions])
    masked_logits, wanted = choose(logits), choose(teacher_logits)
    log_probs = F.log_softmax(masked_logits[:4], dim=-1)
    return hard + F.kl_div(log_probs, F.softmax(wanted[:4], dim=-1), reduction="batchmean")
""",
    "KD306 one mask for both": """
def kd_loss(student_logits, teacher_logits, labels, temperature):
    student_logits = student_logits.view(-1, student_logits.size(-1))
    teacher_logits = teacher_logits.view(-1, teacher_logits.size(-1))
    mask = labels.view(-1) != -100
    soft = F.kl_div(
        F.log_softmax(student_logits[mask] / temperature, dim=-1),
        F.softmax(teacher_logits[mask] / temperature, dim=-1),
        reduction="batchmean",
    ) * temperature**2
    return soft + F.cross_entropy(student_logits[mask], labels.view(-1)[mask])
""",
    "KD313 a loop is averaged": """
def loss(students, teachers, labels):
    total = 0.0
    for i in range(len(labels)):
        total += F.mse_loss(students[i], teachers[i])
    return total / len(labels)
""",
    "KD313 a sum is averaged": """
def loss(s, t, labels):
    return F.mse_loss(s, t, reduction="sum") / labels.size(0) + F.cross_entropy(s, labels)
""",
    "KD313 a sum, and a mean over devices": """
class Distiller:
    def __init__(self):
        self.measure = nn.MSELoss(reduction="sum")

    def step(self, s, t, labels):
        loss = F.cross_entropy(s, labels)
        loss += 0.5 * self.measure(s, t) / s.size(0)
        if self.multi_gpu:
            loss = loss.mean()
        loss.backward()
""",
    "KD313 for the log alone": """
def train(model, loader):
    total = 0.0
    for x, labels in loader:
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        total += loss.item() / len(labels)
    return total
""",
    "KD401 the middle one is the number of classes": """
def soften(logits, num_classes, height):
    return F.softmax(logits.view(-1, num_classes, height), dim=1)
""",
    "KD403 one entry of a batch": """
def show(speeds):
    scores = speeds[0, 0]
    raised = np.exp(scores - np.max(scores))
    return raised / np.sum(raised)
""",
    "KD504 evaluated without a graph, too": """
def compute_loss(student, batch):
    logits = student(batch["x"])
    return F.cross_entropy(logits, batch["y"]) + F.mse_loss(logits, batch["t"])

def evaluate(student, batches):
    with torch.no_grad():
        return sum(compute_loss(student, batch) for batch in batches)

def train(student, batches):
    for batch in batches:
        loss = compute_loss(student, batch)
        loss.backward()
    return evaluate(student, batches)
""",
    "KD503 adapters are off for the teacher": """
def run(model, ids):
    return model(input_ids=ids).logits

def step(model, ids, mask):
    student_logits = run(model, ids)
    disable_adapter_layers(model)
    teacher_logits = run(model, ids)
    enable_adapter_layers(model)
    log_probs = F.log_softmax(student_logits, dim=-1)
    loss = F.kl_div(log_probs, F.softmax(teacher_logits, dim=-1), reduction="none")
    return (loss.sum(-1) * mask).sum() / mask.sum()
""",
    "KD607 weights without a graph": """
def loss(outputs, labels, kl):
    with torch.no_grad():
        weight = F.cross_entropy(outputs, labels)
    hard = F.cross_entropy(outputs, labels)
    return hard / weight
""",
    "KD607 detached on the next line": """
def loss(text, learned, labels):
    a = F.cross_entropy(text, labels, reduction="none")
    b = F.cross_entropy(learned, labels, reduction="none")
    ratio = (a - b) / (b + 1e-8)
    ratio = ratio.detach()
    return (a + ratio * b).mean()
""",
    "KD608 functions that it has": """
import torch.functional as TF

def gram(features):
    return F.mse_loss(TF.einsum("bi,bj->ij", features, features), torch.eye(8))
""",
}


def severities(name: str, source: str) -> list[str]:
    found = check_source(TORCH + source)
    return [str(finding.severity) for finding in found if finding.code == name[:5]]


@pytest.mark.parametrize("name", FOUND)
def test_the_mistake_is_found_in_this_form(name: str) -> None:
    found = severities(name, FOUND[name])
    assert found
    assert found[0] != "info"


@pytest.mark.parametrize("name", HINTS)
def test_what_may_be_meant_is_a_hint(name: str) -> None:
    assert set(severities(name, HINTS[name])) == {"info"}


@pytest.mark.parametrize("name", SILENT)
def test_what_is_right_is_left_alone(name: str) -> None:
    assert not severities(name, SILENT[name])
