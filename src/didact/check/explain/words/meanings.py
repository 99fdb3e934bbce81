"""What the named losses do, said by their formulas: p is the teacher's side, q the student's."""

from __future__ import annotations

from didact._core.i18n import Text

_KL = Text(
    "Σ p·(log p − log q) compares the teacher's p with the student's q class by class: it is 0 "
    "where they are equal, and large where the teacher has probability and the student little",
    "Σ p·(log p − log q) 逐类比较教师的 p 与学生的 q：两者相等时为 0，教师有概率而学生给得少的类"
    "罚得最重",
)
_SOFT = Text(
    "−Σ p·log q is KL(p ‖ q) + H(p): the teacher's entropy H(p) is a constant, so it trains as the "
    "KL does, only its value does not fall to 0",
    "−Σ p·log q = KL(p ‖ q) + H(p)：教师的熵 H(p) 是常数，训练效果与 KL 相同，只是数值降不到 0",
)
_BINARY = Text(
    "each class is a yes/no question of its own, −h·log σ(s) − (1 − h)·log(1 − σ(s)): on the old "
    "columns the target h is the old network's sigmoid output, on the new ones the label 0 or 1, "
    "so old classes are held and new ones learnt in one sum",
    "每个类别是一道独立的是非题 −h·log σ(s) − (1 − h)·log(1 − σ(s))：旧类各列的目标 h 是旧网络的 "
    "sigmoid 输出，新类各列是 0/1 标签，同一个和式里既保持旧类、又学习新类",
)
_SQUARES = Text(
    "each entry of the student's tensor is pulled to the teacher's, with a force proportional to "
    "the gap s − t",
    "学生张量的每个元素都被拉向教师的对应元素，力度与差 s − t 成正比",
)
_LABELS = Text(
    "−log q_y makes the probability of the true class large",
    "−log q_y 让真实类的概率变大",
)
_REVERSE = Text(
    "Σ q·(log q − log p) takes the expectation under the student: it pays where the student puts "
    "probability and the teacher has none, and not for what it leaves out, so it keeps to some of "
    "the teacher's modes",
    "Σ q·(log q − log p) 的期望在学生分布下取：学生把概率放到教师没有的地方才受罚，漏掉的不受罚，"
    "所以倾向于守住教师的部分峰",
)

DOES: dict[str, Text] = {
    **dict.fromkeys(("ce", "ce_padded"), _LABELS),
    "ce_smooth": Text(
        "the target gives 1 − ε to the label and spreads ε over all classes, so the student is "
        "not driven to full certainty",
        "目标给标签 1 − ε、把 ε 平分给各类，学生不会被逼到完全确信",
    ),
    **dict.fromkeys(("kd", "kd_masked"), _KL),
    **dict.fromkeys(("soft_ce", "soft_ce_masked"), _SOFT),
    "kd_average": Text(
        f"p is the mean of the teachers' probabilities; {_KL.en}",
        f"p 是各教师概率的平均；{_KL.zh}",
    ),
    "soft_ce_average": Text(
        f"p is the mean of the teachers' probabilities; {_SOFT.en}",
        f"p 是各教师概率的平均；{_SOFT.zh}",
    ),
    **dict.fromkeys(("reverse_kl", "reverse_kl_masked"), _REVERSE),
    "dino": Text(
        "the teacher's outputs are centred by c and sharpened by the low temperature T_t, and the "
        "student is to predict the resulting p: centring keeps one dimension from winning, "
        "sharpening keeps the outputs from becoming uniform",
        "教师输出先减去中心 c，再用较低的温度 T_t 锐化，学生去预测得到的 p：中心化防止某一维独大，"
        "锐化防止输出变均匀",
    ),
    "dino_uncentred": Text(
        "the target is softmax(t/T_t), the prediction softmax(s/T_s); −Σ p·log q is least where "
        "s/T_s equals t/T_t up to a constant",
        "目标是 softmax(t/T_t)，预测是 softmax(s/T_s)；s/T_s 与 t/T_t "
        "只差一个常数时 −Σ p·log q 最小",
    ),
    "jsd": Text(
        "both sides are compared with their mixture m = β·p + (1−β)·q, by β·KL(p ‖ m) + "
        "(1−β)·KL(q ‖ m); m has probability wherever one of them has, so it stays bounded",
        "两侧都与混合分布 m = β·p + (1−β)·q 比较：β·KL(p ‖ m) + "
        "(1−β)·KL(q ‖ m)；任一侧有概率的地方 "
        "m 就有概率，所以数值有上界",
    ),
    "skew_kl": Text(
        "p is compared with β·p + (1−β)·q instead of q alone: the mixture is never 0 where p is "
        "not, so the logarithm stays bounded",
        "p 不是直接和 q 比，而是和 β·p + (1−β)·q 比：p 不为 0 的地方混合分布也不为 0，对数不会发散",
    ),
    "tckd": Text(
        "TCKD compares [p_y, 1 − p_y] of teacher and student: how sure each is of the true class",
        "TCKD 比较师生的 [p_y, 1 − p_y]：各自对真实类有多确信",
    ),
    "nckd": Text(
        "NCKD takes the true class out, renormalises the rest and compares how teacher and "
        "student share it among the other classes",
        "NCKD 去掉真实类、把其余类重新归一化，比较师生如何在其他类之间分配",
    ),
    **dict.fromkeys(
        ("icarl", "icarl_labels", "icarl_narrow", "icarl_narrow_sum", "icarl_labels_sum",
         "icarl_apart"), _BINARY),
    "binary_kd": Text(
        "each class is a yes/no question whose target is the teacher's sigmoid output; the "
        "classes need not sum to 1 and do not compete",
        "每个类别是一道是非题，目标是教师的 sigmoid 输出；各类不必加起来等于 1，也不互相竞争",
    ),
    "hard_kd": Text(
        "the teacher's argmax is taken as the label: only its first class counts, not its other "
        "probabilities",
        "把教师的 argmax 当作标签：只用它的第一类，其余概率不起作用",
    ),
    **dict.fromkeys(("mse", "mse_rows", "mse_sum"), _SQUARES),
    "mse_masked": Text(f"over the places of the mask alone, {_SQUARES.en}",
                       f"只在掩码选中的位置上，{_SQUARES.zh}"),
    "mse_centred": Text(
        "each side's mean over the classes is taken off first, since softmax does not see it; "
        f"then {_SQUARES.en}",
        f"先减去各自对类别的均值（softmax 本来就看不到它），再比较：{_SQUARES.zh}",
    ),
    **dict.fromkeys(("mse_probs", "mse_probs_rows"), Text(
        "the probabilities of both sides are compared by squared differences, which are at most 1 "
        "per class, so a confident mistake costs less than under a KL",
        "用平方差比较两侧的概率，每个类别最多为 1，所以很确信的错误罚得比 KL 轻",
    )),
    **dict.fromkeys(("l1", "l1_rows"), Text(
        "each entry of the student's tensor is pulled to the teacher's with the same force, "
        "however large the gap, so outliers count less than with squares",
        "学生张量的每个元素都以相同的力度被拉向教师，与差的大小无关，离群值的影响比平方小",
    )),
    "smooth_l1": Text(
        "each entry of the student's tensor is pulled to the teacher's: small gaps are squared, "
        "large ones count linearly",
        "学生张量的每个元素都被拉向教师：差小时取平方，差大时按线性计",
    ),
    "cosine": Text(
        "1 − cos turns the two vectors into the same direction and leaves their lengths free",
        "1 − cos 让两个向量方向一致，长度不受约束",
    ),
    "rkd_distance": Text(
        "not the features but the distances between all pairs of samples are compared, each "
        "side's divided by their own mean: only the ratios of distances count",
        "比较的不是特征，而是样本两两之间的距离，各自先除以平均距离：只有距离的比例起作用",
    ),
    "rkd_angle": Text(
        "for every three samples the cosine of the angle that they form is compared: the shape of "
        "the cloud of samples, whatever its scale",
        "对每三个样本，比较它们构成的夹角的余弦：看的是样本分布的形状，与尺度无关",
    ),
    "at": Text(
        "the squares of a feature map are averaged over the channels, which leaves one map of "
        "where the network responds; each is scaled to length 1, and the student's is pulled to "
        "the teacher's",
        "特征平方后对通道取平均，得到一张“网络关注哪里”的图；每张缩放到长度 1，再让学生的图"
        "接近教师的图",
    ),
    "sp": Text(
        "each side makes a B×B matrix of the similarities of the samples in the batch, and the two "
        "matrices are compared: samples that are alike for the teacher are to be alike for the "
        "student",
        "两侧各算一个 B×B 的批内样本相似度矩阵再比较：教师看来相似的样本，学生看来也应相似",
    ),
    "pod": Text(
        "the squared maps are summed over the width and over the height, so that only the "
        "profiles along one direction are held and the rest stays free for new classes; the "
        "profiles are scaled to length 1 and compared by their distance",
        "特征平方后分别沿宽、沿高求和，只约束单个方向上的轮廓，其余留给新类；轮廓缩放到长度 1，"
        "再取两者的距离",
    ),
    "cwd": Text(
        "in each channel the softmax runs over the H·W places, p tells where the channel is "
        "active; the KL of it lets the student look at the same places",
        "每个通道在 H·W 个位置上做 softmax，p 表示这个通道在哪里响应；KL 让学生关注同样的位置",
    ),
    **dict.fromkeys(("dist_inter",), Text(
        "1 − ρ uses Pearson's correlation between the class probabilities of one sample: their "
        "ranking and ratios count, not their exact values",
        "1 − ρ 用的是同一样本各类概率之间的皮尔逊相关：看相对关系，不要求数值相等",
    )),
    "dist_intra": Text(
        "1 − ρ uses Pearson's correlation of one class over the samples of the batch: which "
        "samples are more of that class than others",
        "1 − ρ 用的是同一类别在批内各样本上的皮尔逊相关：哪些样本更像这一类",
    ),
    **dict.fromkeys(("nst", "nst_student"), Text(
        "each channel is a point, and the two clouds of points are compared by a kernel (MMD): "
        "where the channels respond is matched, not channel by channel",
        "把每个通道当作一个点，用核（MMD）比较两团点的分布：匹配的是整体响应模式，不是逐通道对应",
    )),
    "pkt": Text(
        "each side turns the similarities of one sample to the others into probabilities; their "
        "divergence keeps who is near whom",
        "两侧各把一个样本与其余样本的相似度变成概率分布，用散度保持“谁和谁近”",
    ),
    **dict.fromkeys(("infonce", "infonce_raw"), Text(
        "each student sample is to find its own teacher sample among all of the batch: the same "
        "index is the positive, the others are the negatives",
        "每个学生样本要在整批里认出自己对应的教师样本：下标相同的是正例，其余都是负例",
    )),
    "focal": Text(
        "(1 − p_y)^γ makes samples that are classified well count less",
        "(1 − p_y)^γ 让已经分得很好的样本少起作用",
    ),
    "ewc": Text(
        "each weight is held near the value θ* that it had after the old task by F·(θ − θ*)²; the "
        "Fisher value F says how much the old task's outputs depend on it, so unimportant weights "
        "stay free",
        "F·(θ − θ*)² 把每个参数拉在旧任务结束时的值 θ* 附近；Fisher 值 F 表示旧任务的输出对它有多"
        "敏感，不重要的参数仍可自由变化",
    ),
    "l2_sp": Text(
        "every weight is held near its old value by the same force, however important it is",
        "每个参数都以同样的力度被拉在旧值附近，不分重要与否",
    ),
}  # fmt: skip
"""By the key of a definition; without full stop."""

SOFTENED = Text(
    "Dividing by T > 1 raises the small probabilities, so that the other classes count.",
    "除以 T > 1 会抬高小概率，其他类别的关系才起作用。",
)
SQUARED = Text(
    "T² makes up for the gradient, which shrinks as about 1/T².",
    "乘 T² 是因为梯度大约按 1/T² 缩小，要补回来。",
)
WEIGHTED = Text("{weight} × {name}", "{weight} × {name}")
DOES_IT = Text("{name}: {does}.", "{name}：{does}。")
BY_DEFINITION = Text("{name}, as it is defined: {does}.", "{name}，按定义：{does}。")
OLD_OUTPUTS = Text(
    "Here p comes from the old model: what it gave for the old classes is kept while the new ones "
    "are learnt.",
    "这里的 p 来自旧模型：学习新类的同时，旧类上的输出保持旧模型的样子。",
)
