"""What losses and metrics refuse, and what losses are for."""

TEXTS = {
    "module 'didact' has no attribute {}": "模块 'didact' 没有属性 {}",
    # Metrics
    "student_logits is {} and teacher_logits is {}; expected one shape: the same samples and classes": (
        "student_logits 为 {}，teacher_logits 为 {}；形状应相同：同样的样本和类别"
    ),
    "bins is {}; expected at least 1 (15 is usual)": "bins 为 {}；应不小于 1（常用 15）",
    "{} is {}; expected floating-point logits, not class numbers": (
        "{} 为 {}；应为浮点 logits，而不是类别号"
    ),
    "{} is {}; expected (..., samples, classes), none of them 0": (
        "{} 为 {}；应为 (..., 样本, 类别)，且都不为 0"
    ),
    "{} has NaN or infinity in {} of {} samples; the model diverged, or its input was not finite": (
        "{0} 在 {2} 个样本中有 {1} 个含 NaN 或无穷；模型已发散，或输入不是有限数"
    ),
    "labels is {}; expected integers, one class per sample": "labels 为 {}；应为整数，每个样本一个类别",
    "labels is {} and logits is {}; expected labels of {}, one class per sample": (
        "labels 为 {}，logits 为 {}；labels 应为 {}，每个样本一个类别"
    ),
    "labels go from {} to {}; expected 0 to {} for {} classes. Leave unlabelled samples out before "
    "measuring.": "labels 从 {0} 到 {1}；{3} 个类别应为 0 到 {2}。测量之前请去掉无标签的样本。",
    "a has {} values and b has {}; expected one of each for every seed. Use welch_test for runs with "
    "other seeds.": "a 有 {} 个值，b 有 {} 个；每个种子应各有一个。种子不同的运行请用 welch_test。",
    "there are {} differences; expected at most {}: every pattern of signs is tried. Use "
    "paired_test.": "有 {} 个差值；最多 {} 个：要穷举所有符号组合。请用 paired_test。",
    "a is {} and b is {}; expected one value for each of the same images": (
        "a 为 {}，b 为 {}；应为同一批图像各一个值"
    ),
    "labels is {}; expected one label for each image": "labels 为 {}；每张图像应有一个标签",
    "classes are {}; expected the same images from each model": (
        "类别为 {}；各模型应给出同一批图像的结果"
    ),
    "{} of {}; expected a count from 0 to a total of at least 1": (
        "{1} 中的 {0} 个；个数应从 0 到总数，总数至少为 1"
    ),
    "{} is {}; expected torch.bool, whether each image is right": (
        "{} 为 {}；应为 torch.bool，表示每张图像是否答对"
    ),
    "weights is {}; expected ({},), one for each task": "weights 为 {}；应为 ({},)，每个任务一个",
    "weights is {}; expected numbers above 0": "weights 为 {}；应大于 0",
    "the accuracy matrix is {}; expected (tasks, tasks): one row after each task, one column for each "
    "task, however many classes a task has": (
        "准确率矩阵为 {}；应为 (任务, 任务)：学完每个任务一行，每个任务一列，与任务的类别数无关"
    ),
    "{} has NaN or infinity; expected a measured accuracy": (
        "{0!t}含 NaN 或无穷；应为测得的准确率"
    ),
    "{} goes from {} to {}; expected fractions from 0 to 1 (divide percentages by 100)": (
        "{} 从 {} 到 {}；应为 0 到 1 的小数（百分数请除以 100）"
    ),
    "the accuracies next to the diagonal, R[k - 1, k],": "紧邻对角线的准确率 R[k - 1, k] ",
    "the lower triangle of the matrix": "矩阵的下三角",
    "{} is {}; expected ({},), one for each task": "{} 为 {}；应为 ({},)，每个任务一个",
    "there is one task; expected at least two, or nothing can be forgotten": (
        "只有一个任务；至少两个，否则谈不上遗忘"
    ),
    "{} is {}; expected at least one number for each seed": "{} 为 {}；每个种子至少应有一个数",
    "{} is {}; expected finite numbers": "{} 为 {}；应为有限的数",
    "level is {}; expected a number between 0 and 1, such as 0.95": (
        "level 为 {}；应在 0 与 1 之间，如 0.95"
    ),
    # What a loss is for
    "One teacher, the same classes: begin here": "一个教师、类别相同：从这里开始",
    "The teacher is much stronger, or very sure of itself": "教师强得多，或非常自信",
    "Only the teacher's decision is at hand": "只有教师的判断（硬标签）",
    "Several labels for each sample": "每个样本有多个标签",
    "Language models, and other divergences between distributions": "语言模型，以及分布间的其他散度",
    "Features: one layer of the teacher": "特征：教师的一层",
    "Features: several layers at once": "特征：同时用多层",
    "Segmentation and other dense maps": "分割等稠密预测",
    "The student takes over the teacher's classifier": "学生沿用教师的分类器",
    "Embeddings: relations between samples, networks of different families": (
        "嵌入：样本之间的关系，不同家族的网络"
    ),
    "New classes: keep the old model's answers": "新类别：保持旧模型的回答",
    "New classes: keep the old model's features": "新类别：保持旧模型的特征",
    "New classes: keep them apart from the old ones": "新类别：与旧类别区分开",
    # Losses
    "inplace=True would overwrite student_logits, a leaf tensor that you own; it is for the output of "
    "a layer. Pass inplace=False.": (
        "inplace=True 会改写 student_logits，而它是你自己的叶子张量；此选项用于某一层的输出。请传 "
        "inplace=False。"
    ),
    "inplace=True needs student_logits in one contiguous piece of memory; pass inplace=False, or "
    "student_logits.contiguous()": (
        "inplace=True 要求 student_logits 在内存中连续；请传 inplace=False，或 "
        "student_logits.contiguous()"
    ),
    "a second or double backward pass needs student_logits, which inplace=True has overwritten; pass "
    "inplace=False": "再次反向或二阶反向需要 student_logits，而 inplace=True 已改写它；请传 inplace=False",
    "margin is {}; expected a number from 0 (1 is the paper's)": "margin 为 {}；应不小于 0（论文取 1）",
    "power is {}; expected a number above 0 (2 is usual)": "power 为 {}；应大于 0（常用 2）",
    "gamma is {}; expected a number above 0 (0.4 is the paper's)": (
        "gamma 为 {}；应大于 0（论文取 0.4）"
    ),
    "order is {}; expected at least 1 (2 is the paper's)": "order 为 {}；应不小于 1（论文取 2）",
    "num_samples is {}; expected at least 2 to contrast": "num_samples 为 {}；至少 2 个才能对比",
    "temperature is {}; expected a number above 0": "temperature 为 {}；应大于 0",
    "momentum is {}; expected a number from 0 to 1": "momentum 为 {}；应在 0 到 1 之间",
    "negative_indices is {}; expected ({}, negatives)": "negative_indices 为 {}；应为 ({}, 负样本数)",
    "the batch has one sample; expected two or more, to tell them apart": (
        "这一批只有一个样本；至少两个才能区分"
    ),
    "student_features has {} layers and teacher_features {}; expected the same number, at least 2, on "
    "both sides": "student_features 有 {} 层，teacher_features 有 {} 层；两边应相同，且至少 2 层",
    "consecutive layers are {} and {}; expected one batch, height and width. Take both from one stage, "
    "or pool the larger map": (
        "相邻两层为 {} 与 {}；批、高、宽应相同。请取自同一段，或池化较大的特征图"
    ),
    "rate is {}; expected a number above 0 (0.5 is the paper's)": "rate 为 {}；应大于 0（论文取 0.5）",
    "keep is {}; expected bool, True where the map stays": "keep 为 {}；应为 bool，保留处为 True",
    "keep is {}; expected ({}, 1, {}, {}) for positions or ({}, {}, 1, 1) for channels": (
        "keep 为 {}；按位置应为 ({}, 1, {}, {})，按通道应为 ({}, {}, 1, 1)"
    ),
    "mask_ratio is {}; expected from 0 to below 1": "mask_ratio 为 {}；应不小于 0、小于 1",
    "masking is {}; expected 'positions' or 'channels'": "masking 为 {}；应为 'positions' 或 'channels'",
    "{} is {}; expected ({},), one number for each channel of teacher_features": (
        "{} 为 {}；应为 ({},)，teacher_features 每个通道一个数"
    ),
    "student_channels has {} stages and teacher_channels {}; expected the same number, at least 2": (
        "student_channels 有 {} 段，teacher_channels 有 {} 段；应相同，且至少 2 段"
    ),
    "attention_scale is {}; expected a number above 0": "attention_scale 为 {}；应大于 0",
    "student_features is a batch of {}; SemCKD was built for at most {}. Build it with batch_size={}": (
        "student_features 一批有 {} 个；SemCKD 构建时最多 {} 个。请用 batch_size={} 构建"
    ),
    "a map is {}; expected at least {}x{} positions, what the module was built for": (
        "特征图为 {}；应至少 {}x{} 个位置，即模块构建时的大小"
    ),
    "prefix is {}; expected 0 or more tokens": "prefix 为 {}；应为 0 个或更多词元",
    "tokens is {}; expected (batch, tokens, dim)": "tokens 为 {}；应为 (批, 词元, 维)",
    "tokens is {}: {} patches after a prefix of {}; expected {} x {}. Pass prefix= (0 for no class "
    "token, more with registers), or size=(height, width) of a picture that is no square.": (
        "tokens 为 {0}：前缀 {2} 之后有 {1} 块；应为 {3} x {4}。请传 prefix=（没有类别词元为 0，有寄存器词元"
        "则更多），图像不是正方形时传 size=(高, 宽)。"
    ),
    "initial_variance is {}; expected above {}": "initial_variance 为 {}；应大于 {}",
    "importance is {}; expected floating-point numbers": "importance 为 {}；应为浮点数",
    "importance is {}; expected ({},), one number for each channel": (
        "importance 为 {}；应为 ({},)，每个通道一个数"
    ),
    "head_sizes is {}; expected numbers above 0 that add up to the {} classes of teacher_logits": (
        "head_sizes 为 {}；应为大于 0 的数，和等于 teacher_logits 的类别数 {}"
    ),
    "old_classes is {}; expected from 1 to {}, one less than the classes of student_logits": (
        "old_classes 为 {}；应在 1 到 {} 之间，即比 student_logits 的类别数少 1"
    ),
    "margin is {}; expected a number from 0 up (0.5 is the paper's)": (
        "margin 为 {}；应不小于 0（论文取 0.5）"
    ),
    "negatives is {}; expected at least 1 (2 is the paper's)": "negatives 为 {}；应不小于 1（论文取 2）",
    "student_logits has {} class; expected at least 2 to tell apart": (
        "student_logits 有 {} 个类别；至少 2 个才能区分"
    ),
    "margin is {}; expected a number from 0 up (0.6 is the paper's)": (
        "margin 为 {}；应不小于 0（论文取 0.6）"
    ),
    "student_{} is {} and teacher_{} is {}; expected one shape for both. Nothing is broadcast.": (
        "student_{} 为 {}，teacher_{} 为 {}；两者形状应相同。不做广播。"
    ),
    "student_logits is {} and teacher_logits is {}: the student knows {} classes; pass "
    "teacher_logits[..., :{}] to compare the classes both know": (
        "student_logits 为 {}，teacher_logits 为 {}：学生有 {} 个类别；请传 teacher_logits[..., :{}]，"
        "只比较双方共有的类别"
    ),
    "student_logits is {} and teacher_logits is {}: the teacher knows {} classes; pass "
    "student_logits[..., :{}] to compare the classes both know": (
        "student_logits 为 {}，teacher_logits 为 {}：教师有 {} 个类别；请传 student_logits[..., :{}]，"
        "只比较双方共有的类别"
    ),
    "If the classes are dimension 1 of the logits, pass logits.movedim(1, -1)": (
        "若类别在 logits 的第 1 维，请传 logits.movedim(1, -1)"
    ),
    "{} is {}; expected (..., samples, classes). Add a batch dimension with unsqueeze(0).": (
        "{} 为 {}；应为 (..., 样本, 类别)。请用 unsqueeze(0) 加上批维。"
    ),
    "{} is {}, an empty batch; expected at least one sample and one class. Skip the step when nothing "
    "is left of a batch.": "{} 为 {}，是空批；至少应有一个样本、一个类别。批中没有剩余时请跳过这一步。",
    "Pass one of its entries, such as output['logits']; it holds {}": (
        "请传其中一项，如 output['logits']；它含有 {}"
    ),
    "{} is {}; expected floating-point numbers. Pass the network's output, not class numbers.": (
        "{} 为 {}；应为浮点数。请传网络的输出，而不是类别号。"
    ),
    "temperature is {}; expected a number above 0 (4 is usual)": (
        "temperature 为 {}；应大于 0（常用 4）"
    ),
    "{} is {}; expected a number from 0 to 1": "{} 为 {}；应在 0 到 1 之间",
    "{} is {}; expected a number from 0 up": "{} 为 {}；应不小于 0",
    "mask is {}; expected bool, True where a position counts. Pass attention_mask.bool() if it is a "
    "mask of 0 and 1.": (
        "mask 为 {}；应为 bool，计入的位置为 True。若是 0 与 1 的掩码，请传 attention_mask.bool()。"
    ),
    "mask is {}; expected {}, one entry for each position": "mask 为 {}；应为 {}，每个位置一项",
    "{} is {}; expected int64 {} numbers, {}.long()": "{0} 为 {1}；应为 int64 的 {2} 号，即 {3}.long()",
    "{} is {}; expected {}, one {} number for each position (not one-hot){}": (
        "{0} 为 {1}；应为 {2}，每个位置一个 {3} 号（不是 one-hot）{4!t}"
    ),
    "Pass one of its entries, such as output[0]": "请传其中一项，如 output[0]",
    "Pass the network's output, such as output.logits of a transformers model": (
        "请传网络的输出，如 transformers 模型的 output.logits"
    ),
    "{} holds {}; expected {} numbers from 0 to {}": "{0} 中有 {1}；应为 0 到 {3} 的 {2} 号",
    "{} holds {}; expected {} numbers from 0 to {}, or {} for 'no label'": (
        "{0} 中有 {1}；应为 0 到 {3} 的 {2} 号，或用 {4} 表示“无标签”"
    ),
    "(batch, channels, height, width)": "(批, 通道, 高, 宽)",
    "student_features is {} and teacher_features is {}; {}": (
        "student_features 为 {0}，teacher_features 为 {1}；{2!t}"
    ),
    "expected one shape for both. Bring the student's to the teacher's with a projector (a 1x1 "
    "convolution or a linear layer), or pool the larger map": (
        "两者形状应相同。请用投影（1x1 卷积或线性层）把学生的变成教师的形状，或池化较大的特征图"
    ),
    "expected one batch and one height and width for both; the channels may differ. Pool the larger "
    "map with torch.nn.functional.adaptive_avg_pool2d": (
        "批、高、宽应相同，通道可以不同。请用 torch.nn.functional.adaptive_avg_pool2d 池化较大的特征图"
    ),
    "expected one batch and one number of channels for both; height and width may differ. Bring the "
    "student's channels to the teacher's with a 1x1 convolution": (
        "批与通道数应相同，高和宽可以不同。请用 1x1 卷积把学生的通道数变成教师的"
    ),
    "expected the same samples on both sides: one batch size": "两边应为同样的样本，批大小相同",
    "{}_features is {}; expected at least {} dimensions: {}": (
        "{0}_features 为 {1}；应至少 {2} 维：{3!t}"
    ),
    "{}_features is {}, an empty batch; expected at least one sample. Skip the step when nothing is "
    "left of a batch.": "{}_features 为 {}，是空批；至少应有一个样本。批中没有剩余时请跳过这一步。",
    "student_features is {}: batch norm cannot be trained on one value for each channel. Use "
    "drop_last=True, or call .eval() on the loss": (
        "student_features 为 {}：每个通道只有一个值，批归一化无法训练。请用 drop_last=True，或对损失调用 "
        ".eval()"
    ),
    "{} is {}; expected at least 1": "{} 为 {}；应不小于 1",
    "{}_features is {}; expected (batch, {}, height, width): the module was built for {} channels on "
    "this side": "{}_features 为 {}；应为 (批, {}, 高, 宽)：模块构建时这一侧为 {} 个通道",
    "{}_features is {}; expected {} units for each sample: the module was built for these": (
        "{}_features 为 {}；每个样本应有 {} 个单元：模块是按此构建的"
    ),
    "{}_features has {} layers; the module was built for {}": "{}_features 有 {} 层；模块构建时为 {} 层",
    "student_logits is {} and teacher_logits is {}; expected the same samples for both. Nothing is "
    "broadcast.": "student_logits 为 {}，teacher_logits 为 {}；两者应为同样的样本。不做广播。",
    "student_logits is {} and teacher_logits is {}: the old model has {} classes and the new one {}; "
    "expected at least one old class and no more than the new model has. Grow the classifier before "
    "training, old classes first.": (
        "student_logits 为 {}，teacher_logits 为 {}：旧模型有 {} 个类别，新模型有 {} 个；旧类别至少一个，"
        "且不多于新模型。请在训练前扩展分类器，旧类别在前。"
    ),
    "class_dim is {}; expected the number of a dimension, such as 1 or -1": (
        "class_dim 为 {}；应为维度的编号，例如 1 或 -1"
    ),
    "mask is {}; expected a boolean tensor, True where a position counts": (
        "mask 为 {}；应为布尔张量，需要计入的位置为 True"
    ),
    "{} is {}; expected a dimension class_dim={}": "{} 为 {}；应有维度 class_dim={}",
    "{} holds {}: {} of {} values are not finite, the first at {}; expected numbers. Look for an "
    "overflow in the teacher (half precision?) or a damaged checkpoint.": (
        "{0} 中有 {1}：{3} 个值里有 {2} 个不是有限数，第一个在 {4}。请检查教师是否溢出（半精度？），或检查点"
        "是否损坏。"
    ),
    "reduction is {}; expected 'mean' (over samples), 'sum' or 'none'. PyTorch's 'batchmean' is called "
    "'mean' here.": (
        "reduction 为 {}；应为 'mean'（对样本平均）、'sum' 或 'none'。PyTorch 的 'batchmean' 在这里叫 "
        "'mean'。"
    ),
    "teachers_logits is {}; expected a list of tensors, one for each teacher": (
        "teachers_logits 为 {}；应为张量列表，每个教师一个"
    ),
    "teachers_logits is empty; expected the logits of one teacher or more": (
        "teachers_logits 为空；至少应有一个教师的 logits"
    ),
    "weights has {} numbers; expected {}, one a teacher": "weights 有 {} 个数；应为 {} 个，每个教师一个",
    "weights is {}; expected numbers from 0 up": "weights 为 {}；应不小于 0",
    "weights is {}, which sums to {}; expected a sum of 1. Divide each by their sum.": (
        "weights 为 {}，和为 {}；和应为 1。请各除以总和。"
    ),
    "student_logits has one class; expected two or more, a target and others": (
        "student_logits 只有一个类别；至少两个：目标类与其他类"
    ),
    "temperatures is empty; expected one or more, such as (2, 3, 4, 5, 6)": (
        "temperatures 为空；至少一个，如 (2, 3, 4, 5, 6)"
    ),
    "alpha is {}; expected 0 <= alpha < 1 (the paper uses 0.1)": (
        "alpha 为 {}；应为 0 <= alpha < 1（论文取 0.1）"
    ),
    "beta is {}; expected a number above 0 and below 1": "beta 为 {}；应大于 0、小于 1",
    "divergence is {}; expected one of {}": "divergence 为 {}；应为 {} 之一",
    "reduction is {}; expected 'mean' or 'sum'": "reduction 为 {}；应为 'mean' 或 'sum'",
    "divergence is {}; a TopK knows a part of the classes only: pass 'forward_kl', or a Head as "
    "teacher": "divergence 为 {}；TopK 只知道一部分类别：请传 'forward_kl'，或以 Head 作教师",
    "the student makes logits {} and the teacher {}; expected one shape for both. Of a padded "
    "vocabulary, pass the rows of the weight that both know.": (
        "学生的 logits 为 {}，教师的为 {}；形状应相同。词表有填充时，请只传双方共有的权重行。"
    ),
    "the teacher's hidden": "教师的 hidden",
    "hidden is {} and weight {}; expected (..., units) and (classes, units)": (
        "hidden 为 {}，weight 为 {}；应为 (..., 单元) 与 (类别, 单元)"
    ),
    "bias is {}; expected ({},)": "bias 为 {}；应为 ({},)",
    "hard_weight is {}; pass labels, or leave it at 0": "hard_weight 为 {}；请传 labels，或保持 0",
    "fused_linear_kd keeps no logits and cannot be differentiated twice; take the loss of the logits, "
    "such as forward_kl": (
        "fused_linear_kd 不保留 logits，不能求二阶导；请对 logits 用损失函数，如 forward_kl"
    ),
    "student_logits is {}; expected (batch, tokens, classes) with two tokens or more": (
        "student_logits 为 {}；应为 (批, 词元, 类别)，至少两个词元"
    ),
    "k is {}; expected 1 or more": "k 为 {}；应不小于 1",
    "{} takes more than the positions of a {}": "{} 用到的不只是 {} 中的位置",
    "student_logits is {} and the teacher's {} is of logits {}; expected one shape for both": (
        "student_logits 为 {}，教师的 {} 来自形状 {} 的 logits；形状应相同"
    ),
    "temperature is {}; this TopK knows its normaliser at {} only. Take one of these, or make it anew "
    "from dense logits": (
        "temperature 为 {}；此 TopK 只记有 {} 处的归一化项。请取其一，或从完整 logits 重新生成"
    ),
    "student_logits is {} and the TopK is of logits {}; expected one shape for both. Nothing is "
    "broadcast.": "student_logits 为 {}，TopK 来自形状 {} 的 logits；形状应相同。不做广播。",
}
