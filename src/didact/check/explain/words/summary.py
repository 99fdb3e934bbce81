"""The first lines of an explanation: what it is, how far it is right, what happens if it is run."""

from __future__ import annotations

from didact._core.i18n import Text

METHODS: dict[str, Text] = {
    "kd": Text("Hinton KD (Hinton et al. 2015)", "Hinton 知识蒸馏（KD，Hinton 等 2015）"),
    "keras_distiller": Text("Keras Distiller: Hinton KD", "Keras Distiller：Hinton 知识蒸馏（KD）"),
    "token_kd": Text("token-level KD", "逐词元的知识蒸馏（token KD）"),
    "pixel_kd": Text("pixel-wise KD", "逐像素的知识蒸馏（pixel-wise KD）"),
    "self_kd": Text(
        "self-distillation within one network (BYOT, Zhang et al. 2019)",
        "自蒸馏：同一网络的深层教浅层（BYOT，Zhang 等 2019）",
    ),
    "dino_uncentred": Text(
        "a cross-entropy of two temperatures like DINO's, without its centring of the teacher",
        "双温度交叉熵（形同 DINO，但缺少 DINO 对教师输出的中心化）",
    ),
    "dino": Text("DINO's loss (Caron et al. 2021)", "DINO 的损失（Caron 等 2021）"),
    "tf_kd": Text(
        "Tf-KD with a virtual teacher (Yuan et al. 2020)", "Tf-KD 的虚拟教师（Yuan 等 2020）"
    ),
    "pod": Text(
        "PODNet's spatial distillation (Douillard et al. 2020)",
        "PODNet 的空间蒸馏（Douillard 等 2020）",
    ),
    "byol": Text(
        "BYOL's loss, the squared distance of unit vectors (Grill et al. 2020)",
        "BYOL 的损失：单位向量的平方距离（Grill 等 2020）",
    ),
    "simsiam": Text(
        "a negative cosine similarity, as in SimSiam (Chen, He 2021)",
        "负余弦相似度，即 SimSiam 的损失（Chen、He 2021）",
    ),
    "cosine": Text("a cosine distance of two representations", "两个表示之间的余弦距离"),
    "one": Text(
        "online distillation: the branches learn from their mean (ONE, Lan et al. 2018)",
        "在线蒸馏：各分支向分支的平均学习（ONE，Lan 等 2018）",
    ),
    "topk_kd": Text(
        "Hinton KD over the teacher's top-k classes, renormalised",
        "只在教师前 k 个类别上（重新归一化）的 Hinton 知识蒸馏",
    ),
    "skew_kl": Text("skewed KL (DistiLLM, Ko et al. 2024)", "偏斜 KL（DistiLLM，Ko 等 2024）"),
    "pairwise": Text(
        "structured distillation of a segmentation network, pair-wise (Liu et al. 2019)",
        "语义分割的结构化蒸馏：成对（pair-wise）相似度（Liu 等 2019）",
    ),
    "infonce": Text(
        "a contrastive loss within the batch (InfoNCE); CRD itself takes its negatives from a "
        "memory bank",
        "批内对比损失（InfoNCE）；CRD 原文的负样本来自 memory bank",
    ),
    "multi_kd": Text("multi-teacher KD", "多教师知识蒸馏"),
    "lwf": Text("LwF (Li, Hoiem 2016)", "LwF（Li、Hoiem 2016）"),
    "icarl": Text("iCaRL (Rebuffi et al. 2017)", "iCaRL（Rebuffi 等 2017）"),
    "dkd": Text("DKD (Zhao et al. 2022)", "DKD（解耦知识蒸馏，Zhao 等 2022）"),
    "rkd": Text("RKD (Park et al. 2019)", "RKD（关系知识蒸馏，Park 等 2019）"),
    "at": Text(
        "AT, attention transfer (Zagoruyko, Komodakis 2017)",
        "AT（注意力迁移，Zagoruyko、Komodakis 2017）",
    ),
    "nst": Text("NST (Huang, Wang 2017)", "NST（神经元选择性迁移，Huang、Wang 2017）"),
    "sp": Text("SP (Tung, Mori 2019)", "SP（保持相似度，Tung、Mori 2019）"),
    "cwd": Text("CWD (Shu et al. 2021)", "CWD（通道蒸馏，Shu 等 2021）"),
    "pkt": Text("PKT (Passalis, Tefas 2018)", "PKT（Passalis、Tefas 2018）"),
    "dist": Text("DIST (Huang et al. 2022)", "DIST（Huang 等 2022）"),
    "dml": Text(
        "DML, deep mutual learning (Zhang et al. 2018)", "DML（深度互学习，Zhang 等 2018）"
    ),
    "reverse_kl": Text(
        "reverse KL, KL(student ‖ teacher), the direction of MiniLLM (Gu et al. 2024)",
        "反向 KL，即 KL(学生 ‖ 教师)，MiniLLM（Gu 等 2024）用的方向",
    ),
    "jsd": Text("generalised JSD (GKD, Agarwal et al. 2024)", "广义 JSD（GKD，Agarwal 等 2024）"),
    "hard_kd": Text(
        "hard distillation (DeiT, Touvron et al. 2021)", "硬标签蒸馏（DeiT，Touvron 等 2021）"
    ),
    "lucir": Text(
        "LUCIR's less-forget term (Hou et al. 2019)", "LUCIR 的 less-forget 项（Hou 等 2019）"
    ),
    "binary_kd": Text("binary distillation, class by class", "逐类的二元蒸馏"),
    "consistency": Text(
        "a consistency loss on probabilities (Mean Teacher, Tarvainen, Valpola 2017)",
        "概率的一致性损失（Mean Teacher，Tarvainen、Valpola 2017）",
    ),
    "logit_matching": Text("logit matching (Ba, Caruana 2014)", "logits 匹配（Ba、Caruana 2014）"),
    "hint": Text("the FitNets hint (Romero et al. 2015)", "FitNets 的 hint（Romero 等 2015）"),
    "mse": Text("a mean of squared differences", "均方差"),
    "vid": Text("VID (Ahn et al. 2019)", "VID（变分信息蒸馏，Ahn 等 2019）"),
    "crd": Text("CRD (Tian et al. 2020)", "CRD（对比表示蒸馏，Tian 等 2020）"),
    "ewc": Text("EWC (Kirkpatrick et al. 2017)", "EWC（Kirkpatrick 等 2017）"),
    "der": Text(
        "DER, dark experience replay (Buzzega et al. 2020)", "DER（暗经验回放，Buzzega 等 2020）"
    ),
    "derpp": Text(
        "DER++, dark experience replay with labels (Buzzega et al. 2020)",
        "DER++（带标签的暗经验回放，Buzzega 等 2020）",
    ),
    "imitation": Text(
        "feature imitation on the places of a mask (Wang et al. 2019)",
        "按掩码取位置的特征模仿（Wang 等 2019）",
    ),
    "focal": Text("the focal loss (Lin et al. 2017)", "focal loss（Lin 等 2017）"),
    "l2_sp": Text(
        "a penalty on the distance from the old parameters (L2-SP, Li et al. 2018)",
        "对偏离旧参数的 L2 惩罚（L2-SP，Li 等 2018）",
    ),
    "lucir_margin": Text(
        "LUCIR's margin ranking between classes (Hou et al. 2019)",
        "LUCIR 的类间间隔排序损失（Hou 等 2019）",
    ),
    "margin": Text("a margin ranking loss", "间隔排序损失"),
    "distilbert": Text(
        "DistilBERT's triple loss: soft targets, labels, cosine of the hidden states "
        "(Sanh et al. 2019)",
        "DistilBERT 的三项损失：软目标、标签、隐藏状态余弦（Sanh 等 2019）",
    ),
    "jsd_even": Text("the Jensen–Shannon divergence", "Jensen–Shannon 散度（JSD）"),
    "pkd": Text("PKD, patient KD (Sun et al. 2019)", "PKD（耐心蒸馏，Sun 等 2019）"),
    "fsp": Text("FSP matrices (Yim et al. 2017)", "FSP 矩阵（Yim 等 2017）"),
    "bic": Text("BiC (Wu et al. 2019)", "BiC（Wu 等 2019）"),
    "wa": Text("WA, weight aligning (Zhao et al. 2020)", "WA（权重对齐，Zhao 等 2020）"),
    "plain": Text(
        "a loss on the labels alone, without distillation", "只有真实标签的损失，没有蒸馏项"
    ),
}
"""By the key of the method."""

NOT_PYTORCH = Text(
    "This is {framework} code; it is explained in its own terms (`axis`, its own order of "
    "arguments), and PyTorch's rules are not applied.",
    "这是 {framework} 代码，按它自己的约定解释（`axis`、参数顺序），不套用 PyTorch 的规则。",
)
OR = Text(" or ", "，或 ")
AND = Text(", with ", "，加上 ")
IS_METHOD = Text("This is {method}.", "这是{method}。")
NAMED_AS = Text("Its name says {method}.", "从名字看，它应是{method}。")
MEANT_AS = Text("This is meant as {method}.", "这段代码想写的是{method}。")
PARTLY = Text(
    "One part is {method}; another is not recognised, so nothing is said about whether the whole "
    "is right.",
    "其中一部分是{method}；另一部分没有识别出来，因此不对整体的正确与否作判断。",
)
PARTLY_PLAIN = Text(
    "The cross-entropy with the labels is recognised, another term is not, so nothing is said "
    "about whether the whole is right.",
    "其中对真实标签的损失已识别，另一项没有识别出来，因此不对整体的正确与否作判断。",
)
NO_METHOD = Text(
    "No loss that is known here by name was recognised.", "没有识别出这里已知的具名损失。"
)
NO_LOSS = Text("No loss was recognised here.", "这段代码里没有识别出损失。")
EQUAL = Text(
    "It is equal to the definition, term by term (for tensors {shape}).",
    "逐项与定义一致（张量形状 {shape}）。",
)
OF_MORE_DIMENSIONS = Text(
    "The code does not tell the shape: `batchmean` divides by dim 0 alone, so with more dimensions "
    "than {shape} it would sum over the others.",
    "代码看不出张量的形状：batchmean 只除以第 0 维的大小，若维数多于 {shape}，多出的位置会被求和。",
)
EQUAL_ALWAYS = Text("It is equal to the definition, term by term.", "逐项与定义一致。")
EQUAL_ALWAYS_UP_TO = Text(
    "What it computes is equal to the definition, term by term, but not safely: see the findings "
    "({count}).",
    "计算结果逐项与定义一致，但写法不安全：见“发现的问题”（{count}）。",
)
EQUAL_UP_TO = Text(
    "What it computes is equal to the definition, term by term (for tensors {shape}), but not "
    "safely: see the findings ({count}).",
    "计算结果逐项与定义一致（张量形状 {shape}），但写法不安全：见“发现的问题”（{count}）。",
)
DEPARTS = Text("It differs from the definition: {reasons}.", "它与定义不一致：{reasons}。")
MISTAKEN = Text("It has a mistake: {reasons}.", "写法有错：{reasons}。")
TRAINED_OTHERWISE = Text(
    "The loss matches its definition, but the code around it is wrong: {reasons}.",
    "损失本身与定义一致，但训练写法有错：{reasons}。",
)
UNKNOWN = Text(
    "Not recognised, so nothing is said about whether it is right: the formula stands below as it "
    "is written.",
    "没有识别出来，因此不对其正确与否作判断；下面列出它按代码所写的公式。",
)
NAMED = Text(
    "Its name says {method}; {missing}, which it needs, is not shown, so this could not be "
    "checked.",
    "从名字看，它应是{method}；但它用到的 {missing} 没有贴出来，无法核对。",
)
NOT_AS_NAMED = Text(
    "what is computed is {computes}, not what the name says", "实际计算的是{computes}，与名字不符"
)
NAMED_ALONE = Text(
    "Its name says {method}; whether it is that was not checked.",
    "从名字看，它应是{method}；是否一致没有核对。",
)
UNKNOWN_TERM = Text(
    "The term {term} is not recognised; nothing is said about it.",
    "{term} 这一项没有识别出来，不作判断。",
)
ASSUMED = Text(
    "`{call}` is not shown; by what it is given it is taken as `{loss}`.",
    "代码中没有给出 `{call}` 的定义；从它的实参看，按 `{loss}` 计算。",
)
GIVEN_TERM = Text(
    "{term} is defined elsewhere and taken as given.", "{term} 的定义不在所示代码中，视为已知。"
)
GIVEN_TERMS = Text(
    "{term} are defined elsewhere and taken as given.", "{term} 的定义不在所示代码中，视为已知。"
)
IF_DEEP = Text(
    " (assuming {shape}, as {word} suggests; for [B, C] it would match)",
    "（按 {word} 推断张量为 {shape}；若是 [B, C] 则与定义一致）",
)
FOUND = Text("Found: {counts}.", "发现 {counts}。")
ONLY_REMARKS = Text("No mistake was found; {remarks}.", "没有发现错误；{remarks}。")
NOTHING_FOUND = Text("No mistake was found.", "没有发现错误。")
BESIDE_THE_ERROR = Text(
    "No mistake was found in the loss; the error in the paste has another cause, see the answer.",
    "损失本身没有发现错误；粘贴里的报错另有原因，见回答。",
)
ALTERNATIVES = Text(
    "The code branches on {conditions}; each branch was checked separately.",
    "代码按 {conditions} 分支，各分支分别检查过。",
)
FOLDED = Text(
    "The number {number} in front of the soft term can be {weight} · T² (T = {t}, T² = {square}); "
    "the code does not tell. If it is meant as a weight alone, T² is missing.",
    "软标签项前的 {number} 可能就是 {weight} · T²（T = {t}，T² = {square}），代码看不出来；"
    "若它只是权重，则缺少 T²。",
)
TOKENS = Text(
    "On the logits [B, S, V] of a language model it would be S times too large: flatten them to "
    "[B·S, V] first.",
    "若输入是语言模型的 [B, S, V] logits，结果会大 S 倍，要先展平成 [B·S, V]。",
)
WITHOUT_SQUARE = Text(
    "There is no T² in front of the soft term, as in the papers of LwF, BiC and WA; the weight is "
    "to be tuned together with T.",
    "软标签项前没有 T²；LwF、BiC、WA 的论文里也没有，权重要连同 T 一起调。",
)
PER_SAMPLE = Text(
    "The loss is one number per sample; their mean is what was compared.",
    "损失是每个样本一个数；比较的是它们的平均值。",
)
OLD_PYTHON = Text(
    "This is Python 2: Python 3 stops with a SyntaxError at line {line} before anything runs. The "
    "old lines are brought up to date below.",
    "这是 Python 2 代码：在 Python 3 上第 {line} 行就报 SyntaxError，整段都不会执行。旧写法已在下面"
    "更新。",
)
ON_PYTHON2 = Text("On Python 2: ", "在 Python 2 上：")
AS_IT_IS = Text("If it is run as it is: {consequence}.", "若照原样运行：{consequence}。")
RUNS = Text(
    "If it is run as it is: it trains what the formula says.",
    "若照原样运行：训练的就是公式所写的目标。",
)

ERRORS = (Text("1 error", "1 个错误"), Text("{n} errors", "{n} 个错误"))
WARNINGS = (Text("1 warning", "1 个警告"), Text("{n} warnings", "{n} 个警告"))
REMARKS = (Text("1 remark", "1 条提示"), Text("{n} remarks", "{n} 条提示"))

FACTORS: dict[str, Text] = {
    "T-2": Text(
        "T² is missing: the soft term is 1/T² of the definition",
        "漏了 T²：软标签项只有定义的 1/T²",
    ),
    "T-1": Text(
        "T stands where T² belongs: the soft term is 1/T of the definition",
        "该乘 T² 的地方只乘了 T：软标签项只有定义的 1/T",
    ),
    "C-1": Text(
        "it is averaged over the classes as well: 1/C of the definition",
        "对类别也取了平均：只有定义的 1/C",
    ),
    "N1": Text(
        "it is summed over the N teachers instead of averaged: N times the definition",
        "对 N 个教师求和而不是取平均：是定义的 N 倍",
    ),
    "S1": Text(
        "it is summed over the S positions: S times the definition",
        "对 S 个位置求了和：是定义的 S 倍",
    ),
    "H·W1": Text(
        "it is summed over the H·W places: H·W times the definition",
        "对 H·W 个位置求了和：是定义的 H·W 倍",
    ),
    "C1": Text(
        "it is summed over the C classes instead of averaged: C times the definition",
        "对 C 个类别求和而不是取平均：是定义的 C 倍",
    ),
    "B1": Text(
        "it is summed over the batch instead of averaged: B times the definition",
        "对批求和而不是取平均：是定义的 B 倍",
    ),
}
"""By size and power."""
T2_ALONE = Text(
    "T² is not in it, so it is 1/T² of the definition; alone that only changes the step size, "
    "beside another term it needs the factor T²",
    "式中没有 T²，只有定义的 1/T²；单独使用时这只相当于改变步长，与别的项相加时要补上 T²",
)
FACTOR = Text("{term} is {factor} times its definition", "{term} 是其定义的 {factor} 倍")
SIGN = Text("the sign of {term} is wrong", "{term} 的符号反了")
LAST_ALONE = Text(
    "only the last item of `{source}` counts: each round of the loop overwrites the one before",
    "只有 `{source}` 的最后一项起作用：循环的每一轮都覆盖了上一轮的结果",
)
CUT = Text(
    "{term} is outside the graph, so it trains nothing (factor 0 in the gradient)",
    "{term} 不在计算图中，不起训练作用（对梯度的贡献为 0）",
)
DEAD = Text(
    "in {term} the student's side is computed without gradient (no_grad or detach), so backward "
    "stops with an error or the term trains nothing",
    "{term} 里学生一侧不带梯度（no_grad 或 detach），backward 会报错，或者这一项不起训练作用",
)
LITERAL = Text(" (T = {value}: {factor})", "（T = {value}，即 {factor}）")
FINDINGS = Text("{message} ({code}, lines {line})", "{message}（{code}，第 {line} 行）")
FINDING = Text("{message} ({code}, line {line})", "{message}（{code}，第 {line} 行）")

CUT_UNKNOWN = Text(
    "backward() stops with an error, or the term trains nothing",
    "backward() 会报错，或者这一项不起训练作用",
)
CUT_BESIDE = Text(
    "it runs, and the term trains nothing beside the others",
    "能运行，但这一项不起训练作用，只有其他项在训练",
)
CUT_ALONE = Text(
    "backward() stops with an error, as nothing in the loss has a gradient",
    "backward() 会报错，因为整个损失都不带梯度",
)
CONSEQUENCES: dict[str, Text] = {
    "KL-TARGET-LOG": Text("the loss becomes NaN at the first step", "损失在第一步就变成 NaN"),
    "ARGS-REVERSED": Text("the loss becomes NaN at the first step", "损失在第一步就变成 NaN"),
    "KL-INPUT-PROBS": Text(
        "the term with this kl_div is negative at every step, and its prediction is driven to a "
        "one-hot at the largest class of the target: what the target says of the others is lost",
        "这个 kl_div 项始终为负，它的预测被推向 target 最大类的 one-hot，target 对其余类别的判断全"
        "部丢失",
    ),
    "KL-INPUT-RAW": Text(
        "the loss has no lower bound, and the student's scores grow without limit",
        "损失没有下界，学生的输出会无限增大",
    ),
    "KL-TARGET-RAW": Text(
        "the loss becomes NaN wherever a score is negative", "教师分数为负处损失变成 NaN"
    ),
    "CE-ON-PROBS": Text(
        "the cross-entropy cannot fall below log(e + C − 1) − 1, and its gradient nearly vanishes",
        "交叉熵降不到 log(e + C − 1) − 1 以下，梯度几乎消失",
    ),
    "BCEWL-ON-PROBS": Text(
        "each zero target costs at least ln 2 = 0.69, and the loss stays there",
        "每个为 0 的目标至少贡献 ln 2 = 0.69，损失停在那里",
    ),
    "SWAPPED": Text("it runs and trains the reverse divergence", "能运行，但训练的是反向散度"),
    "T-INVERTED": Text(
        "a higher temperature sharpens the distributions instead of softening them",
        "温度越高分布越尖，而不是越软",
    ),
    "T-ONE-SIDE": Text(
        "the best student is a flatter or sharper teacher, not the teacher",
        "最优的学生是被压平或变尖的教师，而不是教师本身",
    ),
    "SOFTMAX-OF-SOFTMAX": Text(
        "the targets are nearly uniform, so little is taught", "目标几乎是均匀分布，学不到什么"
    ),
    "DIM-0": Text(
        "it runs, but the softmax normalises over the samples of the batch, so each class is "
        "matched only up to an offset",
        "能运行，但 softmax 在同一批样本之间归一化，每个类别只能对齐到相差一个常数",
    ),
    "ITEM-IN-GRAPH": Text(
        "the loss is printed and not trained on: the result is as without it",
        "损失会打印出来，但不参与训练：结果与不加它一样",
    ),
    "GRAPH-CUT": Text("the term trains nothing", "该项不起训练作用"),
    "STUDENT-UNUSED": Text("the loss is constant and trains nothing", "损失是常数，不起训练作用"),
    "HEAD-MISMATCH": Text("it stops with a RuntimeError", "会报 RuntimeError 而停止"),
    "LABEL-OFFSET": Text(
        "an IndexError, or silently the wrong classes", "越界报错，或悄悄对应到错误的类别"
    ),
    "EMPTY-SLICE": Text("the loss on an empty tensor is NaN or 0", "对空张量求损失，得到 NaN 或 0"),
    "SIGN-MISSING": Text(
        "training moves the student away from the teacher", "训练会让学生远离教师"
    ),
    "NO-T2": Text(
        "it runs, and the soft term has 1/T² of its weight",
        "能运行，但软标签项的实际权重只有 1/T²",
    ),
    "KL-MEAN": Text(
        "it runs, and the term has 1/C of its weight", "能运行，但该项的实际权重只有 1/C"
    ),
    "CLASS-MEAN": Text(
        "it runs, and the term has 1/C of its weight", "能运行，但该项的实际权重只有 1/C"
    ),
    "BATCHMEAN-3D": Text(
        "it runs, and the loss grows with the number of positions", "能运行，但损失随位置个数变大"
    ),
    "STUDENT-CUT": CUT_UNKNOWN,
    "SELF-TARGET": Text(
        "it runs, and the soft term is 0 at every step", "能运行，但软标签项每一步都是 0"
    ),
    "CONSTRUCTOR": Text("it stops with a RuntimeError", "会报 RuntimeError 而停止"),
    "INF-MASK": Text("the loss becomes NaN at the first step", "损失在第一步就变成 NaN"),
    "MASK-SIGN": Text("it runs, and the term stays 0", "能运行，但这一项恒为 0"),
    "TRAINER-SIGNATURE": Text(
        "with transformers 4.46 or later it stops with a TypeError",
        "transformers 4.46 及以后会报 TypeError 而停止",
    ),
    "JSD-WRONG": Text(
        "it runs, and what it trains has no upper bound ln 2", "能运行，但它没有 ln 2 这个上界"
    ),
    "T-MISMATCH": Text(
        "it runs, and the weight of the soft term changes with the temperature",
        "能运行，但软标签项的实际权重随温度变化",
    ),
    "GRAPHS-KEPT": Text(
        "it runs, and a little more memory is held with every step",
        "能运行，但每一步都会多占一点内存",
    ),
    "CE-TARGET-RAW": Text(
        "the loss has no lower bound, and the student's scores grow without limit",
        "损失没有下界，学生的输出会无限增大",
    ),
    "SUM-OUTLIVES": Text(
        "it stops with a RuntimeError at the second step", "第二步就报 RuntimeError 而停止"
    ),
    "LAST-CLASSES": Text(
        "it runs, and the old model's outputs are taught to other classes",
        "能运行，但旧模型的输出与学生的类别错位",
    ),
    "SIGNED-DIFFERENCE": Text(
        "it runs, and the loss can fall below 0 without any agreement",
        "能运行，但两侧并不接近时损失也能降到 0 以下",
    ),
    "POSITIONS-SHIFTED": Text(
        "it runs, but each position is taught the teacher's distribution for another position",
        "能运行，但每个位置学的是教师在相邻位置上的分布",
    ),
    "TERM-TWICE": Text("it runs, and one term counts twice", "能运行，但同一项算了两次"),
    "SIDES-DIFFER": Text(
        "it runs, and does not reach 0 where student and teacher agree",
        "能运行，但学生与教师一致时损失也不为 0",
    ),
    "TERM-ZERO": Text("it runs, and the term stays 0", "能运行，但这一项恒为 0"),
    "DIM-NORM": Text(
        "it runs, and hardly says where the attention lies", "能运行，但几乎不反映注意力的位置"
    ),
    "TARGET-SUM": Text(
        "it runs, and the loss stays far above 0 however well the student learns",
        "能运行，但学生学得再好，损失也远高于 0",
    ),
    "MASKED-MEAN": Text(
        "it runs, and the more padding a batch has, the less it counts",
        "能运行，但填充越多的批次损失越小",
    ),
    "MASK-UNSHIFTED": Text(
        "it runs, and positions are selected one token off", "能运行，但选中的位置错开了一个词元"
    ),
    "DIM-SEQ": Text(
        "it runs, but the softmax normalises over positions instead of classes",
        "能运行，但 softmax 在位置之间归一化，而不是在类别之间",
    ),
    "EMA-REVERSED": Text(
        "it runs, but the averaged teacher becomes a copy of the student after a step or two",
        "能运行，但教师每一步几乎都被学生覆盖，一两步之后就等于学生",
    ),
    "PARAMETER-REBOUND": Text(
        "it runs, and the averaged model stays what it was at the start",
        "能运行，但被平均的模型一直停在初始状态",
    ),
    "CLIPPED-WHILE-SCALED": Text(
        "it runs, and nearly every step is far too small", "能运行，但几乎每一步都小得多"
    ),
    "SCHEDULER-EACH-BATCH": Text(
        "it runs, and the learning rate is nearly 0 after a few epochs",
        "能运行，但几个 epoch 之后学习率就接近 0",
    ),
    "VALIDATED-IN-TRAINING": Text(
        "it runs, and the accuracy that is measured is that of the training mode",
        "能运行，但测得的是训练模式下的精度",
    ),
    "STUDENT-EVAL-MODE": Text(
        "it runs, and from the second round on the model is trained in evaluation mode",
        "能运行，但从第二轮起模型一直在评估模式下训练",
    ),
    "NOT-IN-OPTIMIZER": Text(
        "it runs, but one layer that the loss goes through is never trained",
        "能运行，但损失经过的某一层从未被训练，一直是初始权重",
    ),
    "SUM-OVERWRITTEN": Text(
        "it runs, and only the last of the losses in the loop is trained",
        "能运行，但循环里只有最后一项损失起作用",
    ),
    "MICRO-BATCH-MEAN": Text(
        "it runs, and the gradient grows with the steps of accumulation",
        "能运行，但梯度随累积步数成倍变大",
    ),
    "ACCUMULATED-SUM": Text(
        "it runs, and the gradient is as many times too large as batches are added up",
        "能运行，但累积多少个批次，梯度就大多少倍",
    ),
    "OPT-HAS-TEACHER": Text(
        "it runs, with the teacher's parameters in the optimiser",
        "能运行，但教师的参数也在优化器里",
    ),
    "NO-ZERO-GRAD": Text(
        "it runs, and every step uses the gradients of all steps so far",
        "能运行，但每一步用的都是至今所有梯度之和",
    ),
    "ZERO-GRAD-LATE": Text(
        "it runs, and nothing is trained: the step finds no gradients",
        "能运行，但什么也没有训练：step() 时梯度已被清零",
    ),
    "KERAS-SWAPPED": Text(
        "it runs and trains the reverse divergence", "能运行，但训练的是反向散度"
    ),
    "KERAS-FROM-LOGITS": Text(
        "it runs, and logarithms are taken of scores as if they were probabilities: nan, or a "
        "loss that does not fall",
        "能运行，但把 logits 当概率取对数：出现 nan，或损失不降",
    ),
    "KERAS-NO-T2": Text(
        "it runs, and the soft term has 1/T² of its weight",
        "能运行，但软标签项的实际权重只有 1/T²",
    ),
    "KERAS-SOFTMAX-TWICE": Text(
        "the targets are nearly uniform, so little is taught", "目标几乎是均匀分布，学不到什么"
    ),
    "LAYER-IN-LOSS": Text(
        "it runs, and the student is fitted to a random projection that changes with every call",
        "能运行，但学生对齐的是每次调用都在变的随机投影",
    ),
    "LOSS-OVERWRITTEN": Text(
        "it runs, and only the last round of the loop is trained on",
        "能运行，但只有循环的最后一轮参与训练",
    ),
    "LOSS-UNUSED": Text(
        "it runs, and the term that is thrown away trains nothing",
        "能运行，但被丢弃的那一项不起任何作用",
    ),
    "ALIAS-TEACHER": Text(
        "it runs, and the model is only compared with itself", "能运行，但模型只是在和自己比较"
    ),
    "VALUE-UNREAD": Text(
        "it runs, and what was computed has no effect", "能运行，但算出来的量不起作用"
    ),
    "RESULT-DISCARDED": Text(
        "it runs as if the line were not there", "能运行，但与没有写那一行一样"
    ),
    "SUM-NEVER-RESET": Text(
        "it runs, and the printed mean grows from epoch to epoch",
        "能运行，但打印的平均值逐个 epoch 变大",
    ),
    "GRAPH-REUSED": Text(
        "it stops with a RuntimeError at the second step", "第二步就报 RuntimeError 而停止"
    ),
    "TEACHER-MODE-UNKNOWN": Text(
        "it runs, and the teacher changes with every batch",
        "能运行，但教师（至少是 BatchNorm 的统计量）每个批次都在变",
    ),
    "SCALAR-INDEXED": Text("it stops with an IndexError", "会报 IndexError 而停止"),
    "VOLATILE": Text(
        "it runs, and records the teacher's graph, too", "能运行，但教师的计算图也会被记录"
    ),
    "PENALTY-CUT": Text("it runs, and the penalty trains nothing", "能运行，但惩罚项不起训练作用"),
    "CHANGED-IN-PLACE": Text("backward() stops with a RuntimeError", "backward() 报 RuntimeError"),
    "SUM-NOT-TRAINED": Text(
        "it runs, and one term of the sum is trained alone", "能运行，但只训练了其中一项"
    ),
    "STEP-MISSING": Text("it runs, and the weights stay as they are", "能运行，但权重一直不变"),
    "SCHEDULER-UNUSED": Text(
        "it runs, and the learning rate never changes", "能运行，但学习率一直不变"
    ),
    "STUDENT-FROZEN": Text("backward() stops with a RuntimeError", "backward() 报 RuntimeError"),
    "OPTIMIZER-ANEW": Text(
        "it runs, and the optimiser forgets every step", "能运行，但优化器每一步都从头开始"
    ),
    "LIVE-PARAMETERS": Text(
        "it runs, and the penalty is 0 at every step", "能运行，但惩罚项每一步都是 0"
    ),
    "NO-RETURN": Text(
        "it stops with an error at the first use of the loss, which is None",
        "损失是 None，第一次使用就会报错",
    ),
    "OUTPUTS-NOT-RETURNED": Text(
        "it trains, and stops with a TypeError at the first evaluation",
        "能训练，但第一次评估时报 TypeError",
    ),
    "LABELS-COLUMN": Text("it stops with a RuntimeError", "会报 RuntimeError 而停止"),
    "MULTI-TEACHER-SUM": Text(
        "it runs, and the term grows with the number of teachers", "能运行，但该项随教师个数变大"
    ),
    "SLICE-AFTER-SOFTMAX": Text(
        "it runs, and one side is no distribution over the old classes",
        "能运行，但有一侧不再是旧类上的概率分布",
    ),
    "WEIGHT-TYPO": Text(
        "it runs, and the weight hardly changes the soft term", "能运行，但权重几乎不影响软标签项"
    ),
    "DEAD-NORM": Text(
        "it runs, and the loss depends on the scale of the features", "能运行，但损失受特征尺度影响"
    ),
    "TARGET-IN-GRAPH": Text(
        "it runs, and each loss also changes the other network",
        "能运行，但每个损失也会改动另一个网络",
    ),
    "REDUCE-KWARG": Text(
        "it runs, and averages over all elements whatever the string says; a mask behind it has no "
        "effect",
        "能运行，但不管字符串写什么都对所有元素取平均；之后再乘 mask 也不起作用",
    ),
    "TEACHER-TRAIN-MODE": Text(
        "it runs, and the teacher changes with every batch",
        "能运行，但教师（至少是 BatchNorm 的统计量）每个批次都在变",
    ),
    "LOG-OF-SOFTMAX": Text(
        "it runs; where a probability underflows to 0 the loss or its gradient is inf or NaN",
        "能运行；当概率下溢为 0 时，损失或梯度为 inf 或 NaN",
    ),
    "PAD-UNMASKED": Text(
        "it runs, and padding takes its share of the gradient", "能运行，但填充位置占用了一部分梯度"
    ),
    "NO-SHIFT": Text(
        "it runs, and the student learns to copy the token that it reads",
        "能运行，但学生学到的是照抄当前词元",
    ),
    "VIEW-MIXES": Text(
        "it runs, and each row that is compared holds pixels of one class, not the classes of a "
        "pixel",
        "能运行，但被比较的每一行是同一类别的像素，而不是一个像素的各个类别",
    ),
    "HEAD-WIDENED": Text(
        "from the second task on it stops with a RuntimeError, since the two outputs differ in "
        "their number of classes",
        "从第二个任务起报 RuntimeError：两个输出的类别数不同",
    ),
    "LEAF-WRITTEN": Text(
        "it stops with a RuntimeError at the line that writes into the parameter",
        "在改写参数的那一行报 RuntimeError",
    ),
    "STORED-GRAPH": Text(
        "it stops with a RuntimeError when a stored output is used as a target for the first time",
        "第一次拿存下的输出作目标时报 RuntimeError",
    ),
    "HEAD-ANEW": Text(
        "it runs, and the new model begins without what the old head knew",
        "能运行，但新模型一开始就丢掉了旧分类头学到的东西",
    ),
    "SHARES-SWAPPED": Text(
        "it runs, and the more classes are old, the weaker they are held",
        "能运行，但旧类越多，蒸馏项的权重越小",
    ),
    "SCALE-INVERTED": Text(
        "it runs, and the bias towards the new classes grows instead of going away",
        "能运行，但对新类的偏向不减反增",
    ),
    "NEW-FOR-OLD": Text(
        "it stops with a RuntimeError, or, with as many new classes as old ones, teaches each new "
        "class what belongs to an old one",
        "会报 RuntimeError；若新旧类别个数相同，则把旧类的输出教给了新类",
    ),
    "HALVES-EXCHANGED": Text(
        "the labels of the new classes are lost, and the old classes are trained towards 0",
        "新类的标签丢失，旧类被训练成 0",
    ),
    "COLUMNS-NORMALISED": Text(
        "it runs, and the samples of a batch are mixed in the loss",
        "能运行，但损失里混入了批内其他样本",
    ),
    "COSINE-OF-COLUMNS": Text(
        "it runs, and the vectors of the samples are not what is compared",
        "能运行，但比较的不是每个样本的特征向量",
    ),
    "HOOK-CUT": Text(
        "it runs, and the terms of the caught features train nothing",
        "能运行，但由 hook 特征算出的各项训练不了学生",
    ),
    "FIRST-COLUMN": Text(
        "it runs, and every student embedding is drawn to the teacher's first sample of the batch",
        "能运行，但每个学生特征都被拉向批内第一个样本的教师特征",
    ),
    "OVER-CHANNELS": Text(
        "it runs, and compares the channels at each position instead of each channel's map",
        "能运行，但比较的是每个位置上各通道的分布，不是每个通道的空间分布",
    ),
    "MASK-SHAPE": Text(
        "it ends in a RuntimeError unless C equals B, where the wrong places are masked",
        "除非 C 恰好等于 B（那时遮错位置），否则报 RuntimeError",
    ),
    "LAST-DIM": Text(
        "it ends in a RuntimeError unless two sizes happen to agree",
        "除非两个大小恰好相等，否则报 RuntimeError",
    ),
    "CROSS-TERM": Text(
        "it runs, and what is minimised is no distance between the two",
        "能运行，但最小化的不是两者之间的距离",
    ),
    "DIRECTIONS": Text("it runs, and what is compared are no angles", "能运行，但比较的不是夹角"),
    "ROOT-OF-ZERO": Text("it runs until the gradient becomes NaN", "能运行，直到梯度变成 NaN"),
    "BOTH-TRAINED": Text(
        "it runs, and the loss can fall to 0 without the student learning anything",
        "能运行，但学生什么都没学到，损失也能降到 0",
    ),
    "ATTENTION-SIGNED": Text(
        "it runs, and activations of different sign cancel in the maps",
        "能运行，但注意力图里正负激活互相抵消",
    ),
    "COSINE-APART": Text(
        "it runs, and the features are driven apart", "能运行，但两侧特征被推得更远"
    ),
    "T-ZERO": Text("the loss becomes NaN when the temperature is 0", "温度降到 0 时损失变成 NaN"),
    "NOTHING-SELECTED": Text(
        "it runs until a batch in which nothing is selected, where the loss becomes NaN",
        "能运行，直到某个批次一个都没选中，损失变成 NaN",
    ),
    "NAMED-REVERSE": Text(
        "it runs and trains the forward divergence", "能运行，但训练的是前向散度"
    ),
    "LABEL-SHAPE": Text("it stops with a RuntimeError", "会报 RuntimeError 而停止"),
    "MASK-POLARITY": Text(
        "it runs, and only the padding is trained on", "能运行，但只在填充位置上训练"
    ),
    "BCE-INPUT-RAW": Text("it stops with a RuntimeError", "会报 RuntimeError 而停止"),
    "LOG-TWICE": Text(
        "it runs, and the term is a large constant without gradient",
        "能运行，但这一项是一个很大的常数，没有梯度",
    ),
}
"""By kind of mistake: what the reader will see."""
BOTH_SCALES = Text(
    "it runs, and the soft term has 1/(C·T²) of its weight",
    "能运行，但软标签项的实际权重只有 1/(C·T²)",
)
OWN_TARGET = Text(
    "it runs, and the target is pulled towards what imitates it",
    "能运行，但目标也会被往模仿它的一侧拉",
)
SECOND_BACKWARD = Text(
    "the second backward() stops with a RuntimeError: it goes through the graph that the first one "
    "has freed",
    "第二次 backward() 会报 RuntimeError：它经过第一次已经释放的计算图",
)
SYNTAX_ERROR = Text("Python refuses it with a SyntaxError", "Python 会报 SyntaxError，无法运行")
OLD_OR_WRONG_NAME = Text(
    "on Python 3 and a current PyTorch it stops with an error at line {line}",
    "在 Python 3 和现在的 PyTorch 上，运行到第 {line} 行就会报错",
)
NAME_ERROR = Text("it stops with a NameError", "会报 NameError 而停止")
