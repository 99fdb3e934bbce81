"""Questions on scale, teachers and training, each answered with its derivation in a few lines."""

from __future__ import annotations

from didact._core.i18n import Text

BATCHMEAN = (
    Text(
        "What does batchmean divide by, and what does mean?",
        "batchmean 除以什么？mean 又除以什么？",
    ),
    Text(
        "batchmean sums everything and divides by the size of dimension 0: for [B, C] that is B, "
        "the mean "
        "KL per sample, as in the formula. mean divides by B·C, so the term is 1/C of it (1/100 "
        "for 100 "
        "classes). For [B, S, V] flatten to [B·S, V] first, or batchmean is S times too large.",
        "batchmean 先全部求和，再除以第 0 维的大小：[B, C] 时就是 B，得到每个样本的平均 KL，与公式"
        "一致。mean 除以 B·C，只有公式的 1/C（100 类时为 1/100）。[B, S, V] 要先展平成 [B·S, V]，"
        "否则 batchmean 会大 S 倍。",
    ),
)
T_SQUARED = (
    Text("Why T²?", "为什么要乘 T²？"),
    Text(
        "∂KL/∂s_i = (1/T)·(softmax(s/T)_i − softmax(t/T)_i). For large T, softmax(z/T)_i ≈ 1/C + "
        "z_i/(C·T) (centred "
        "logits), so the gradient ≈ (s_i − t_i)/(C·T²). Times T² it no longer depends on T, and "
        "the weight "
        "beside the hard term keeps its meaning. If the soft term stands alone, T² only rescales "
        "the learning rate.",
        "∂KL/∂s_i = (1/T)·(softmax(s/T)_i − softmax(t/T)_i)。T 较大时 softmax(z/T)_i ≈ 1/C + "
        "z_i/(C·T)（logits 已中心化），"
        "故梯度 ≈ (s_i − t_i)/(C·T²)。乘 T² 后与 T 无关，与硬标签项的权重关系才稳定。"
        "如果只有软标签项，T² 只相当于调整学习率。",
    ),
)
MANY_TEACHERS = (
    Text(
        "Several teachers: sum or mean, of logits or of probabilities?",
        "多教师：求和还是平均？平均 logits 还是概率？",
    ),
    Text(
        "A sum over N teachers makes the term N times larger than with one; divide by N, or use "
        "weights that sum "
        "to 1. Σ w_k·KL(P_k‖Q) has the gradient of KL(Σ w_k·P_k ‖ Q): the arithmetic mean of "
        "probabilities. "
        "Averaging logits gives the geometric mean, ∏ P_k^w_k renormalised: a class that one "
        "teacher rules out is nearly ruled out. E.g. [.99,.01] and [.5,.5]: .745 against .909.",
        "对 N 个教师求和，该项就是单教师时的 N 倍；应除以 N，或使用总和为 1 的权重。"
        "Σ w_k·KL(P_k‖Q) 的梯度等于 KL(Σ w_k·P_k ‖ Q) 的梯度，即概率的算术平均。"
        "平均 logits 得到的是几何平均 ∏ P_k^w_k（再归一化）：只要有一个教师否定某类，该类就几乎被"
        "排除。例如 [.99,.01] 与 [.5,.5]：算术平均 .745，几何平均 .909。",
    ),
)
CONVEX = (
    Text("Are λ and 1 − λ a convex combination here?", "λ 与 1 − λ 在这里是凸组合吗？"),
    Text(
        "The weights are, if they sum to 1; the balance is meant only if both terms are on the "
        "same scale: per "
        "sample, summed over classes, the soft one times T². With reduction 'mean' or without T² "
        "the soft term is "
        "1/C or about 1/T² of that, so λ = 0.5 at C = 100 and T = 4 acts like λ ≈ 1/100 or 1/17.",
        "权重之和为 1 只说明系数是凸组合；只有两项处在同一尺度（都按样本平均、对类别求和，软标签项"
        "乘 T²）时，"
        "λ 才真正表示两者的比例。若用 reduction='mean' 或漏了 T²，软标签项只有 1/C 或约 1/T²，"
        "C = 100、T = 4 时 λ = 0.5 实际相当于 λ ≈ 1/100 或 1/17。",
    ),
)
WEIGHT = (
    Text(
        "What does the weight in front of the distillation term mean?",
        "蒸馏项前面的权重该怎么理解？",
    ),
    Text(
        "It sets the balance only where both terms are on one scale: each per sample, summed over "
        "the classes, and the soft one times T². Then 0.5 to 0.9 for the soft term is usual, tuned "
        "on validation data. Without T² (1/16 at T = 4) or with reduction='mean' (1/C) the soft "
        "term is smaller, and its weight has to be larger by that. In class-incremental "
        "learning it "
        "mostly grows with the share of old classes, λ = n_old/n_all in BiC and WA.",
        "只有两项在同一尺度上（都按样本平均、对类别求和，软标签项乘 "
        "T²），权重才真正表示两者的比例；这时软标签项"
        "常取 0.5 到 0.9，再在验证集上调。若没乘 T²（T = 4 时只有 1/16）或用了 "
        "reduction='mean'（1/C），软标签项"
        "会变小，权重就要相应取大。类增量学习里，它多随旧类的比例变大，例如 BiC 和 WA 取 λ "
        "= n_旧/n_全部。",
    ),
)
SLICE_FIRST = (
    Text("Slice before or after softmax?", "先切片还是先 softmax？"),
    Text(
        "Before: softmax(z[:, :k]) is a distribution over the k old classes. softmax(z)[:, :k] "
        "sums to some Z < 1, as the new classes keep part of the mass. Sliced so on the student's "
        "side the KL grows by −log Z, which pushes the new classes down; on the teacher's side it "
        "can be negative. Slicing needs no clone(): a slice does not change its tensor.",
        "先切片：softmax(z[:, :k]) 才是 k 个旧类上的概率分布。softmax(z)[:, :k] 之和为 Z < 1"
        "（新类占走一部分概率）。学生侧这样切，KL 会多出 −log Z，把新类的 logits 往下压；"
        "教师侧这样切，KL 可能为负。切片前也不必 clone()，切片不会改动原张量。",
    ),
)
EVAL_DETACH = (
    Text(
        "eval(), no_grad() or detach() for the teacher?",
        "教师模型用 eval()、no_grad() 还是 detach()？",
    ),
    Text(
        "They are three different things. eval(): dropout off, BatchNorm uses and keeps its "
        "running statistics; "
        "gradients still flow. no_grad(): no graph, no memory for it; BatchNorm in train mode "
        "still drifts. "
        "detach(): cuts the graph after it was built. A teacher needs eval() and no_grad(); "
        "detach() is then superfluous.",
        "这是三件不同的事。eval()：关闭 dropout，BatchNorm 使用并冻结滑动统计量，但梯度照样回传。"
        "no_grad()：不建计算图、省显存，但 train 模式下 BatchNorm 的统计量仍会漂移。"
        "detach()：图建好以后再切断。教师需要 eval() 加 no_grad()，这时 detach() 就多余了。",
    ),
)
ITEM = (
    Text("Why does a loss with .item() not train?", "损失里用了 .item() 为什么不起训练作用？"),
    Text(
        ".item() gives a Python number without a graph; added to a loss it is a constant c, and "
        "∂(L + c)/∂θ = ∂L/∂θ. The value printed goes on looking right. Use .item() for logging "
        "only.",
        ".item() 返回的是没有计算图的 Python 数值，加到损失里只是常数 c，∂(L + c)/∂θ = ∂L/∂θ，"
        "该项不产生梯度，但打印出来的数值看不出异常。.item() 只应用于记录日志。",
    ),
)
DEEPCOPY = (
    Text("Why deepcopy the old model?", "旧模型为什么要 deepcopy？"),
    Text(
        "`old = model` is a second name of one object: every step changes both, so teacher and "
        "student always agree, "
        "KL = 0 and its gradient is 0. copy.deepcopy(model) makes parameters of its own; then "
        "eval() and no gradient.",
        "`old = model` 只是同一对象的另一个名字：每一步更新都同时改变两者，教师与学生永远一致，KL "
        "恒为 0，梯度也为 0。copy.deepcopy(model) 才得到独立的参数；之后再 eval() 并关闭梯度。",
    ),
)
ZERO_GRAD = (
    Text("In which order come zero_grad, backward and step?", "zero_grad、backward、step 的顺序？"),
    Text(
        "backward() adds to .grad, so .grad must be cleared once between two steps: zero_grad → "
        "forward → backward → step. Clearing between backward and step throws the gradient away.",
        "backward() 会把梯度累加到 .grad，所以两次更新之间必须清零一次：zero_grad → 前向 → "
        "backward → step。在 backward 与 step 之间清零会把梯度丢掉。",
    ),
)
HERDING = (
    Text("What does herding choose?", "herding 选的是什么样的样例？"),
    Text(
        "Greedily the sample whose addition brings the mean of the chosen features nearest to the "
        "class mean μ: "
        "p_k = argmin_x ‖μ − (φ(x) + Σ_{j<k} φ(p_j))/k‖. Any prefix is a good summary, so a memory "
        "can be cut short when classes are added (iCaRL).",
        "贪心选取：每次加入使已选特征均值最接近类均值 μ 的样本，p_k = argmin_x ‖μ − (φ(x) + Σ_"
        "{j<k} φ(p_j))/k‖。任意前缀都能较好代表该类，因此新增类别时可以直接截短样例集（iCaRL）。",
    ),
)
