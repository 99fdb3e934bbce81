"""What ``explain`` itself finds: one message and one page for each code."""

from __future__ import annotations

from didact._core.i18n import Text

OWN: dict[str, Text] = {
    "KE104": Text(
        "`{name}` is never given a value: calling `{function}` ends in a NameError; it became a "
        "parameter with the default {default}",
        "`{name}` 没有定义：调用 `{function}` 会报 NameError；已改为参数，默认值 {default}",
    ),
    "KE121": Text(
        "`{name}` is made anew in each call of `{function}`: its weights are random every time and "
        "no optimiser has them, so the student is fitted to noise; make it once, in `__init__`, "
        "and give its parameters to the optimiser",
        "`{name}` 在每次调用 `{function}` 时都重新创建：权重每次都是随机的，也不在优化器里，"
        "学生对齐的是噪声；应在 `__init__` 里创建一次，并把它的参数交给优化器",
    ),
    "KE122": Text(
        "`{name} =` overwrites the loss in each round over `{over}`: only the last one is left; "
        "`+=` adds them up",
        "循环 `{over}` 中每一轮的 `{name} =` 都覆盖上一轮，最后只剩最后一个；要累加请写 `+=`",
    ),
    "KE122-STARTED": Text(
        "`{name} =` overwrites the loss in each round over `{over}`: what line {line} computed and "
        "all rounds but the last are lost; `+=` adds them up",
        "循环 `{over}` 中每一轮的 `{name} =` 都覆盖前面的值：第 {line} 行算出的和"
        "除最后一轮之外的各轮全都丢失；要累加请写 `+=`",
    ),
    "KE150": Text(
        "`{name}` is computed and nothing reads it: without this line the result would be the same",
        "`{name}` 算出来之后没有被用到：去掉这一行，结果不变",
    ),
    "KE150-SCHEDULE": Text(
        "`{name}` is computed and nothing reads it: the loss goes on with `{base}`, so what was to "
        "change with `{name}` stays as it is; use `{name}` in place of `{base}`",
        "`{name}` 算出来之后没有被用到：损失里用的仍是 `{base}`，本该随 `{name}` 变化的量并没有变；"
        "应把 `{base}` 换成 `{name}`",
    ),
    "KE150-CHANGING": Text(
        "`{name}` is computed and nothing reads it: it has no effect on the loss",
        "`{name}` 算出来之后没有被用到：对损失没有任何作用",
    ),
    "KE150-MASK": Text(
        "the mask `{name}` is made and nothing reads it: it leaves nothing out",
        "掩码 `{name}` 算出来之后没有被用到：它没有排除任何位置",
    ),
    "KE150-OUTPUT": Text(
        "`{name}`, the output of `{model}`, is computed and nothing reads it: the loss does not "
        "depend on it",
        "`{model}` 的输出 `{name}` 算出来之后没有被用到：损失与它无关",
    ),
    "KE151": Text(
        "the result of this line is thrown away, `{name}` stays as it was; write `{shown}`",
        "这一行的结果被丢弃，`{name}` 没有改变；应写 `{shown}`",
    ),
    "KE151-COMPARED": Text(
        "`==` compares and throws the answer away: nothing is set; write `{shown}`",
        "`==` 只是比较，结果随即丢弃，什么也没有设置；应写 `{shown}`",
    ),
    "KE151-NOT-CALLED": Text(
        "without parentheses `{shown}` is only named, not called: the line does nothing; write "
        "`{shown}()`",
        "少了括号，`{shown}` 只是取到这个方法而没有调用，这一行什么也不做；应写 `{shown}()`",
    ),
    "KE153": Text(
        "`{name}` starts at 0 once, before the loop over the epochs (line {line}), so `{code}` is "
        "no mean of this epoch: it holds the sums of all epochs so far and grows; put `{start}` "
        "at the start of each epoch",
        "`{name}` 只在 epoch 循环之前清零一次（第 {line} 行），因此 `{code}` 不是本轮的平均，"
        "而是至今各轮之和，会越来越大；应把 `{start}` 放到每个 epoch 的开头",
    ),
    "KE154": Text(
        "`{name}` is computed once, before the loop, with a graph: the first backward() frees the "
        "graph of `{model}`, and the second goes through it again and stops with a RuntimeError; "
        "compute a target under torch.no_grad(), and anything that is to be trained inside the "
        "loop",
        "`{name}` 在循环之前只算了一次，而且带着计算图：第一次 backward() 释放了 `{model}` 的图，"
        "第二次又要经过它，于是报 RuntimeError；作目标的放进 torch.no_grad()，要训练的放到循环里算",
    ),
    "KE155": Text(
        "nothing that is shown puts `{name}` in evaluation mode: unless it is done elsewhere, its "
        "dropout is on and every forward pass changes its BatchNorm statistics (no_grad and "
        "detach() stop neither); call `{name}.eval()` before the loop",
        "所示代码里没有把 `{name}` 切到评估模式：如果别处也没有，dropout 就一直开着，每次前向还会"
        "改动它的 BatchNorm 统计量（no_grad 和 detach() 都管不了这些）；应在循环之前调用 "
        "`{name}.eval()`",
    ),
    "KE155-COPY": Text(
        "`{name}` is a copy of `{source}` with its mode, and `{source}` is trained: nothing calls "
        "`{name}.eval()`, so its dropout may be on and its BatchNorm uses and changes the "
        "statistics of the batch; call `{name}.eval()` after the copy",
        "`{name}` 是 `{source}` 的拷贝，模式也一并拷贝，而 `{source}` 处于训练模式：没有调用 "
        "`{name}.eval()` 时，dropout 可能开着，BatchNorm 用的是当前批的统计量并且还在更新；"
        "拷贝之后应调用 `{name}.eval()`",
    ),
    "KE155-SAID": Text(
        "`{name}` is never put in evaluation mode: its dropout is on, its targets depend on the "
        "batch, and every forward pass changes its BatchNorm statistics (neither "
        "no_grad nor detach() stops that); call `{name}.eval()` before the loop",
        "`{name}` 从未切到评估模式：dropout 开着，目标随当前批变化，每次前向都会改动它的 BatchNorm "
        "统计量（no_grad 和 detach() 都管不了这些）；应在循环之前调用 `{name}.eval()`",
    ),
    "KE156": Text(
        "a loss is a tensor without dimensions: since PyTorch 0.5 `{code}` ends in an IndexError; "
        "write `{right}`",
        "损失是 0 维张量：PyTorch 0.5 起 `{code}` 会报 IndexError；应写 `{right}`",
    ),
    "KE157": Text(
        "`volatile=True` has had no effect since PyTorch 0.4 but a warning: `{code}` no longer "
        "keeps the graph from being recorded; use `with torch.no_grad():`",
        "`volatile=True` 从 PyTorch 0.4 起不再起作用，只给出警告：`{code}` 已不能阻止记录计算图；"
        "应改用 `with torch.no_grad():`",
    ),
    "KE158": Text(
        "the average goes over parameters() alone: the running mean and variance of BatchNorm in "
        "`{name}` are buffers and are not averaged, and in eval mode they stay as they were at "
        "the start; if there is any BatchNorm, copy the buffers of `{source}`, too",
        "平均只覆盖 parameters()：`{name}` 里 BatchNorm 的 running_mean、running_var 是 buffer，"
        "没有参与，在 eval 模式下一直停在初始值；若有 BatchNorm，还应从 `{source}` 拷贝各 buffer",
    ),
    "KE159": Text(
        "`{code}` takes the parameter out of the graph: `{total}` has no gradient, so whatever its "
        "weight the penalty changes nothing in training",
        "`{code}` 把参数移出了计算图：`{total}` 没有梯度，无论权重多大，这个惩罚项都不影响训练",
    ),
    "KE160": Text(
        "`{name}` has no `return`: it gives back None, and whoever calls it cannot go backward "
        "from it",
        "`{name}` 没有 `return`，返回的是 None，调用者无法对它反向传播",
    ),
    "KE160-TRAINER": Text(
        "`{name}` has no `return`: it gives back None, and Trainer stops with an AttributeError or "
        "a TypeError at the first step",
        "`{name}` 没有 `return`，返回的是 None，Trainer 在第一步就会报 AttributeError 或 TypeError",
    ),
    "KE161": Text(
        "`return_outputs` is ignored: `evaluate()` and `predict()` call compute_loss with "
        "return_outputs=True and unpack two values, so they stop with a TypeError",
        "忽略了 `return_outputs`：`evaluate()` 和 `predict()` 会传 return_outputs=True 并拆成"
        "两个值，于是报 TypeError",
    ),
    "KE162": Text(
        "`{shown}` makes the labels [B, 1]; cross_entropy takes class numbers of shape [B] and "
        "stops with the error shown; pass `{name}`",
        "`{shown}` 把标签变成了 [B, 1]；cross_entropy 要求类别编号的形状是 [B]，因此报出这个错误；"
        "应直接传 `{name}`",
    ),
    "KE168": Text(
        "backward() is called on `{other}`, and nothing reads the sum `{name}`: the other terms "
        "train nothing; write `{name}.backward()`",
        "反传用的是 `{other}`，而总和 `{name}` 没有被用到：其余各项都不起训练作用；应写 "
        "`{name}.backward()`",
    ),
    "KE151-MODULE": Text(
        "a module has no `requires_grad`: this only gives `{name}` an attribute and freezes "
        "nothing; write `{shown}`",
        "模块没有 `requires_grad` 这个开关：这里只是给 `{name}` 加了一个属性，什么也没有冻结；应写 "
        "`{shown}`",
    ),
    "KE152-STEP": Text(
        "nothing that is shown calls `{name}.step()`: the gradients are computed and the weights "
        "never change",
        "所示代码里没有调用 `{name}.step()`：只算了梯度，权重从不更新",
    ),
    "KE152-BACKWARD": Text(
        "nothing that is shown calls `{name}.backward()`: `{owner}` steps without gradients, so "
        "nothing is trained",
        "所示代码里没有调用 `{name}.backward()`：`{owner}` 每步都没有梯度，什么也没有训练",
    ),
    "KE164": Text(
        "`{name}` is made and nothing calls `{name}.step()`: the learning rate never changes",
        "创建了 `{name}` 却没有调用 `{name}.step()`：学习率一直不变",
    ),
    "KE165": Text(
        "`{name}` is put in evaluation mode and then trained: its dropout is off and BatchNorm "
        "neither uses nor updates the statistics of the batch; call `{name}.train()`",
        "`{name}` 切到评估模式之后就拿去训练：dropout 关闭，BatchNorm 既不用也不更新当前批的"
        "统计量；应调用 `{name}.train()`",
    ),
    "KE166": Text(
        "this freezes all parameters of `{name}`, which is to be trained: its loss has no "
        "gradient, and backward() stops with a RuntimeError; the teacher is to be frozen",
        "这里冻结了要训练的 `{name}` 的全部参数：损失没有梯度，backward() 会报 RuntimeError；"
        "该冻结的是教师",
    ),
    "KE167": Text(
        "`{name}` is made anew in each step: its momentum and running averages are lost every "
        "time; make it once, before the loop",
        "`{name}` 每一步都重新创建：动量和滑动平均每次都丢失；应在循环之前只创建一次",
    ),
    "KE169": Text(
        "this changes `{name}` in place after line {line} has used it: the backward pass still "
        "needs the old values, hence the error; make a new tensor, `{right}`",
        "这里原地修改了 `{name}`，而第 {line} 行已经用过它：反向传播还需要原来的值，"
        "于是报出这个错误；应写成新张量 `{right}`",
    ),
    "KE163": Text(
        "`{code}` keeps the parameters themselves, no copies: the optimiser changes them in place, "
        "so `{name}` is the present model at every step and the difference from it is always 0; "
        "keep `{right}`",
        "`{code}` 存的就是参数本身，不是拷贝：优化器原地修改它们，`{name}` 每一步都等于当前模型，"
        "与它的差恒为 0；应存 `{right}`",
    ),
    "KE123": Text(
        "the student's side of this term is computed without gradient ({how}): {effect}",
        "这一项里学生一侧不带梯度（{how}）：{effect}",
    ),
    "KE124": Text(
        "adding {number} to the true class makes it win with probability 1 on both sides, so the "
        "term is 0 whatever the student says; to leave the class out, subtract it",
        "给目标类加 {number} 会让两侧的概率都集中到目标类上，这一项恒为 0；要排除目标类，应减去它",
    ),
    "KE125": Text(
        "Trainer passes `num_items_in_batch` to compute_loss since transformers 4.46; without this "
        "parameter training stops with a TypeError",
        "transformers 4.46 起 Trainer 会给 compute_loss 传入 `num_items_in_batch`；"
        "没有这个参数，训练会报 TypeError",
    ),
    "KE126": Text(
        "this is no Jensen–Shannon divergence: {why}; JSD = ½·KL(P ‖ M) + ½·KL(Q ‖ M) with "
        "M = (P + Q)/2 (or weights β and 1 − β in both places), which is at most ln 2",
        "这不是 JS 散度：{why}；JSD = ½·KL(P ‖ M) + ½·KL(Q ‖ M)，M = (P + Q)/2（广义 JSD 把两处的 "
        "½ 换成 β 与 1 − β），这样才有上界 ln 2",
    ),
    "KE127": Text(
        "the factor is {factor}² while the softmaxes are at temperature {temperature}: the "
        "gradient is not brought back to scale unless both are the same",
        "系数是 {factor}²，而 softmax 用的温度是 {temperature}：两者不同时，梯度的尺度没有还原",
    ),
    "KE128": Text(
        "`{name}` is kept with its graph in every round, so memory grows from step to step; keep "
        "the number, `.item()`",
        "每一轮都把带计算图的 `{name}` 累加或存下来，显存一步步增长；应只保留数值 `.item()`",
    ),
    "KE129": Text(
        "the mean is over all positions, those that `{mask}` sets to 0 included: the more padding, "
        "the smaller the loss; divide the sum by `{mask}.sum()`",
        "平均除以了全部位置，包括被 `{mask}` 置 0 的位置：填充越多，损失越小；"
        "应求和后除以 `{mask}.sum()`",
    ),
    "KE130": Text(
        "`{mask}` is not shifted: the logits at position t predict the token at t + 1, so the mask "
        "of the labels begins at 1, `[:, 1:]`",
        "`{mask}` 没有移位：位置 t 的 logits 预测的是 t + 1 的词元，标签的掩码应从 1 开始，"
        "即 `[:, 1:]`",
    ),
    "KE131": Text(
        "the tensors are {shape} (the code or a comment says so), and dim={dim} is {what}: the "
        "classes are dim={classes}",
        "张量是 {shape}（代码或注释如此），dim={dim} 是{what}；类别在 dim={classes}",
    ),
    "KE132": Text(
        "both sides are the same network's output ({name}): the divergence is 0 at every step and "
        "teaches nothing; the target must come from the frozen old model or teacher",
        "两侧是同一个网络的输出（{name}）：每一步散度都是 0，什么也学不到；"
        "目标应来自冻结的旧模型（教师）",
    ),
    "KE133": Text(
        "a class that is masked with −inf has probability 0 and log-probability −inf; kl_div "
        "computes 0 · inf = NaN there. Mask with a large finite number, −1000",
        "用 −inf 屏蔽的类别概率为 0、对数概率为 −inf，kl_div 在此处计算 0 · inf，得到 NaN；"
        "应改用有限的大数，如 −1000",
    ),
    "KE134": Text(
        "the tensors are passed to the constructor of {name}, which takes options alone: make the "
        "loss object first, then call it with them",
        "张量传给了 {name} 的构造函数，而构造函数只接受选项：应先构造损失对象，再用张量调用它",
    ),
    "KE135": Text(
        "`{name}` steps in a loop and nothing that is shown clears the gradients: every step uses "
        "the sum of all gradients so far; call `{name}.zero_grad()` before backward()",
        "循环里调用了 `{name}.step()`，而所示代码从不清零梯度：每一步用的都是至今所有梯度之和；"
        "应在 backward() 之前调用 `{name}.zero_grad()`",
    ),
    "KE135-STEP": Text(
        "nothing that is shown calls `{name}.zero_grad()`: unless the caller does, every step uses "
        "the sum of all gradients so far; call it before backward()",
        "所示代码里没有调用 `{name}.zero_grad()`：如果调用者也没有，每一步用的都是至今所有"
        "梯度之和；应在 backward() 之前调用",
    ),
    "KE136": Text(
        "`{name}` holds parameters of its own, and the optimiser is not given them: they keep "
        "their initial values, and the loss goes through them; pass `{name}.parameters()` as well",
        "`{name}` 有自己的参数，而优化器没有拿到它们：这些参数一直停在初始值，损失却要经过它们；"
        "应把 `{name}.parameters()` 也交给优化器",
    ),
    "KE137": Text(
        "the target sums to {total} over the classes, not to 1: softmaxes are added up and not "
        "averaged. The loss cannot reach 0, and its gradient is {total} times that of their mean",
        "目标在类别上的和是 {total} 而不是 1：几个 softmax 只相加、没有取平均。"
        "损失降不到 0，梯度是取平均时的 {total} 倍",
    ),
    "KE142": Text(
        "`{name}` is never started anew inside the loop: from the second step on `{name}` still "
        "holds the graphs of earlier steps, which backward() has freed, so it stops with a "
        "RuntimeError; start `{name}` anew in every step",
        "`{name}` 在循环里从不重新开始：从第二步起，`{name}` 里还带着前面各步的计算图，而它们已被 "
        "backward() 释放，所以报 RuntimeError；应在每一步重新开始累加 `{name}`",
    ),
    "KE143": Text(
        "{code} takes the last {name} columns, which hold the new classes and are shifted against "
        "those of the old model; the old classes are the first ones, `[:, :{name}]`",
        "{code} 取的是最后 {name} 列，其中含有新类，与旧模型的前 {name} 类错位；旧类在最前面，应写 "
        "`[:, :{name}]`",
    ),
    "KE144": Text(
        "this is the mean of signed differences: positive and negative ones cancel, the value can "
        "be negative, and it has no minimum where both sides agree; square the differences first, "
        "`.pow(2)`",
        "这里对带符号的差取平均：正负会抵消，数值可以为负，两侧相同时也不是最小值；应先平方，"
        "`.pow(2)`",
    ),
    "KE145": Text(
        "the two sides are cut to different positions, {one} and {other}: each position is "
        "compared with its neighbour; both models predict the same token at the same position, so "
        "cut both alike",
        "两侧切片的位置不同（{one} 与 {other}）：每个位置都在和相邻位置比较；"
        "两个模型在同一位置预测的是"
        "同一个 token，两侧应同样切片",
    ),
    "KE146": Text(
        "the models are given attention_mask, the loss is not: the mean runs over padding, too; "
        "multiply by the mask and divide by its sum",
        "attention_mask 只传给了模型，没有用在损失上：取平均时把填充位置也算进去了；"
        "应乘上掩码，再除以掩码之和",
    ),
    "KE241": Text(
        "this softmax is written out without the largest score taken away: exp(x) is inf above 88 "
        "in float32 (709 in float64, 11 in float16), and inf/inf is NaN. The library's softmax "
        "takes it away; for a KL use log_softmax, since a probability that rounds to 0 has the "
        "logarithm −inf",
        "手写的 softmax 没有先减去最大值：float32 下 x 超过 88（float64 为 709，float16 为 11）时 "
        "exp(x) 就是 inf，inf/inf 得 NaN。库里的 softmax 会先减最大值；算 KL 时应直接用 "
        "log_softmax，因为舍入为 0 的概率取对数是 −inf",
    ),
    "KE240": Text(
        "the student sees the mixture `{mixed}`, the teacher `{plain}`: its output belongs to "
        "other images, with nothing of the samples that were mixed in. Give the teacher `{mixed}`",
        "学生看到的是混合后的 `{mixed}`，教师看到的却是 `{plain}`：教师的输出对应的是另一幅图，不含"
        "混进来的样本的信息。教师也应输入 `{mixed}`",
    ),
    "KE146-LABELS": Text(
        "padding counts, too: its labels are -100, so take the KL of each position, multiply by "
        '`inputs["labels"] != -100`, cut as the labels are, and divide by its sum',
        "填充位置也算进去了：它们的标签是 -100，应先得到每个位置的 KL，再乘上 "
        '`inputs["labels"] != -100`（与标签同样错位），再除以它的和',
    ),
    "KE147": Text(
        "the soft labels are the teacher's logits; they must be probabilities: softmax of the "
        "teacher's logits / T. With logits there the loss has no lower bound",
        "软标签给的是教师的 logits，应当是概率：先对教师的 logits / T 做 softmax。"
        "给 logits 时损失没有下界",
    ),
    "KE139": Text(
        "two terms of this loss compute the same ({name}, of the same two tensors): one of them "
        "was probably meant to be another, or its weight is simply doubled",
        "这个损失里有两项算的是同一个量（对同样两个张量的“{name}”）：其中一项很可能本该是别的内容，"
        "否则只是把权重加倍",
    ),
    "KE140": Text(
        "the two sides are not treated alike: {one} on one side, {other} on the other, so the loss "
        "is not 0 even where the student equals the teacher",
        "两侧的处理不一致：一侧是 {one}，另一侧是 {other}；即使学生与教师完全相同，损失也不为 0",
    ),
    "KE141": Text(
        "this term is 0 whatever the student and the teacher say (tried on random numbers), so it "
        "trains nothing",
        "无论学生和教师输出什么，这一项都是 0（用随机数验证过），不起训练作用",
    ),
    "KE138": Text(
        "after the mean over the channels the map is [B, H, W], and dim={dim} is {what}: each line "
        "of the map is scaled to length 1, and where the attention lies is lost; flatten to "
        "[B, H·W] first, so that the map as a whole has length 1",
        "对通道取平均后是 [B, H, W]，dim={dim} 是{what}：这样是把图的每一列（行）各自归一化，"
        "注意力在空间上的分布就丢失了；应先展平成 [B, H·W]，对整张图归一化",
    ),
    "KE105": Text(
        "the term is {factor} of {name}: T² is missing, so its gradient shrinks as 1/T² and the "
        "weight beside the hard term changes its meaning with T",
        "这一项只有“{name}”的 {factor}：漏了 T²，梯度按 1/T² 缩小，与硬标签项之间的权重会随 T 改变",
    ),
    "KE106": Text(
        "one sign is wrong: the definition is {formula}; as written, training drives the student "
        "away from the teacher",
        "有一项的符号反了：定义是 {formula}；照现在的写法，训练会让学生远离教师",
    ),
    "KE107": Text(
        "the term ({name}) is cut off from the graph: it changes the number that is printed and "
        "trains nothing",
        "这一项（{name}）脱离了计算图：打印的数值会变，但它不产生任何梯度",
    ),
    "KE108": Text(
        "the target comes from the other network and is not detached: the gradient of this loss "
        "also changes that network",
        "目标来自另一个网络且没有 detach：这个损失的梯度也会改动那个网络",
    ),
    "KE108-OWN": Text(
        "the target is another output of the same network and is not detached: this term also "
        "pulls the target towards what imitates it",
        "目标是同一网络的另一个输出，且没有 detach：这一项也会把目标往模仿它的一侧拉",
    ),
    "KE109": Text(
        "the normalised value `{name}` is computed and then not used: the loss compares what is "
        "not normalised",
        "算出了归一化后的 `{name}` 却没有使用：损失比较的仍是未归一化的值",
    ),
    "KE110": Text(
        "softmax is applied to probabilities: its inputs lie in [0, 1], so the result is nearly "
        "uniform whatever the model says",
        "对概率又做了一次 softmax：输入都在 [0, 1] 内，结果几乎是均匀分布，与模型的输出关系很小",
    ),
    "KE111": Text(
        "the two heads have {a} and {b} classes (the error message says so): slice the new logits "
        "to the old classes before the softmax",
        "两个分类头分别有 {a} 和 {b} 类（报错信息如此）：softmax 之前先把新模型的 logits 切到旧类",
    ),
    "KE111-FEWER": Text(
        "the two sides have {a} and {b} classes (the error message says so): they must be over the "
        "same classes; use a teacher of the student's classes, or slice the teacher's logits to "
        "them if they come first, `teacher_logits[:, :{a}]`",
        "两侧分别有 {a} 和 {b} 类（报错信息如此），必须针对同一组类别：换用学生那组类别上的教师；"
        "若学生的类别就是教师的前 {a} 类，可取 `teacher_logits[:, :{a}]`",
    ),
    "KE112": Text(
        "the cross-entropy leaves padding out, the distillation term does not: most of what it "
        "averages may be padding; select `labels != pad_id` for both",
        "交叉熵忽略了填充位置，蒸馏项却没有：它平均的位置里可能大部分是填充；两项都应先选出"
        " `labels != pad_id`",
    ),
    "KE113": Text(
        "the term is {factor} times {name}: it sums over the {size} positions and does not "
        "divide by them, so the loss grows with them",
        "这一项是“{name}”的 {factor} 倍：对 {size} 个位置求了和，却没有除以 {size}，损失随之变大",
    ),
    "KE114": Text(
        "the term is {factor} of {name}: it is averaged over the C classes, too",
        "这一项只有“{name}”的 {factor}：对 C 个类别也取了平均",
    ),
    "KE115": Text(
        "the arguments are exchanged: the first is the target. As written this is KL(student ‖ "
        "teacher), the reverse of Hinton's",
        "参数顺序反了：第一个参数是目标。照现在的写法是 KL(学生 ‖ 教师)，即反向 KL",
    ),
    "KE115-LOG": Text(
        "both sides are exchanged: the teacher's log-probabilities are the predictions and the "
        "student's probabilities the targets. As written this is KL(student ‖ teacher), the "
        "reverse of Hinton's",
        "两侧放反了：教师的对数概率在预测一侧，学生的概率成了目标。照现在的写法是 KL(学生 ‖ 教师)，"
        "即反向 KL",
    ),
    "KE116": Text(
        "dim 0 is the batch: the samples compete with each other, and the rows are no "
        "distributions over classes; the class dimension is -1",
        "第 0 维是批维：同一批的样本互相竞争，每一行不再是类别上的分布；类别维应为 -1",
    ),
    "KE117": Text(
        "the first argument of kl_div is probabilities; it must be log-probabilities. The loss can "
        "be negative, and its minimum is not the teacher",
        "kl_div 的第一个参数是概率，应为对数概率；损失可能为负，最小值也不在教师处",
    ),
    "KE118": Text(
        "the second argument of kl_div is log-probabilities; it must be probabilities. The "
        "logarithm of negative numbers makes the loss NaN",
        "kl_div 的第二个参数是对数概率，应为概率；对负数取对数，损失为 NaN",
    ),
    "KE119": Text(
        "the terms of the teachers are added up: with N teachers this is N times {name}",
        "各教师的项直接相加：有 N 个教师时就是“{name}”的 N 倍",
    ),
    "KE120": Text(
        "the teacher `{name}` is put in training mode: dropout is on, and every forward pass "
        "changes its BatchNorm statistics",
        "教师 `{name}` 处于训练模式：dropout 开着，每次前向都会改动它的 BatchNorm 统计量",
    ),
    "KE170": Text(
        "logits at position t predict the token at t + 1, and here they meet `{labels}` of "
        "position t: unless `{labels}` were shifted before, the model learns to copy the token "
        "it reads; use logits[:, :-1] with labels[:, 1:]",
        "位置 t 的 logits 预测的是第 t + 1 个 token，这里却与位置 t 的 `{labels}` 相比：除非 "
        "`{labels}` 事先已错位，否则模型学到的是照抄当前 token；应让 logits[:, :-1] 对应 "
        "labels[:, 1:]",
    ),
    "KE210": Text(
        "`{mask}` is cut at the same end as the logits: the logits at position t predict the "
        "token at t + 1, and here they are compared with the token of position t, which the model "
        "reads; logits `[:, :-1]` go with labels `[:, 1:]`",
        "`{mask}` 与 logits 切在了同一端：位置 t 的 logits 预测的是第 t + 1 个词元，这里却与第 t 个"
        "词元（模型的输入本身）相比；logits 取 `[:, :-1]` 时，标签应取 `[:, 1:]`",
    ),
    "KE211": Text(
        "the labels are `{labels}`, the tokens that the model reads, and nothing is ignored: the "
        "cross-entropy counts padding, too; labels are -100 where attention_mask is 0",
        "标签就是模型读入的 `{labels}`，又没有忽略任何位置：交叉熵把填充位置也算进去了；"
        "attention_mask 为 0 的位置，标签应设为 -100",
    ),
    "KE212": Text(
        "`self.parameters()` holds the parameters of `self.{teacher}` as well: the teacher gets "
        "gradients and the optimiser trains it towards the student; give it the student's alone",
        "`self.parameters()` 也包含 `self.{teacher}` 的参数：教师有梯度，会被优化器一起训练，"
        "向学生靠拢；只应传入学生的参数",
    ),
    "KE212-IDLE": Text(
        "`self.parameters()` holds the parameters of `self.{teacher}` as well: under no_grad they "
        "stay as they are, but they do not belong there; give the optimiser the student's alone",
        "`self.parameters()` 也包含 `self.{teacher}` 的参数：在 no_grad 下它们不会变化，"
        "但不该放在这里；只应传入学生的参数",
    ),
    "KE213": Text(
        "`{target}` holds log-probabilities by its name, and kl_div takes its target for "
        "probabilities: it takes the logarithm of negative numbers, NaN (0 in old versions); add "
        "log_target=True",
        "按名字看 `{target}` 存的是对数概率，而 kl_div 默认把 target 当作概率：对负数取对数得到 NaN"
        "（旧版本当作 0）；应加上 log_target=True",
    ),
    "KE214": Text(
        "backward() adds up the gradients of `{n}` batches before one step, and nothing divides by "
        "`{n}`: the gradient is `{n}` times that of one large batch; write "
        "`({loss} / {n}).backward()`",
        "backward() 把 `{n}` 个批次的梯度累加后才更新一次，却没有除以 `{n}`：梯度是一个大批次的 "
        "`{n}` 倍；应写 `({loss} / {n}).backward()`",
    ),
    "KE171": Text(
        "the mask made of `{labels}` selects the positions of the labels, and the logits that "
        "predict them stand one position before: unless `{labels}` were shifted before, cut "
        "the mask to [:, 1:] and both models' logits to [:, :-1]",
        "由 `{labels}` 得到的掩码选的是标签所在的位置，而预测它们的 logits 在前一个位置：除非 "
        "`{labels}` 事先已错位，掩码应取 [:, 1:]，两个模型的 logits 取 [:, :-1]",
    ),
    "KE172": Text(
        "`{text}` reads the numbers in the order they lie in memory, [B, C, H, W]: a row then "
        "holds neighbouring pixels of one class, not the classes of one pixel, so the softmax "
        "mixes pixels and classes; move the classes last first, `.permute(0, 2, 3, "
        "1).reshape(-1, C)`",
        "`{text}` 按内存顺序 [B, C, H, W] 取数：得到的一行是同一类别里相邻的像素，而不是一个像"
        "素的各个类别，softmax 把像素和类别混在了一起；应先把类别维移到最后：`.permute(0, 2, "
        "3, 1).reshape(-1, C)`",
    ),
    "KE222": Text(
        "`{name}` is a parameter that needs gradients, and it is written into in place while the "
        "graph is recorded: PyTorch stops with a RuntimeError (a view of a leaf Variable that "
        "requires grad); do it inside `torch.no_grad()`, or write into `{name}.data`",
        "`{name}` 是需要梯度的参数，这里在记录计算图时就地改写它：PyTorch 会报 RuntimeError（a "
        "view of a leaf Variable that requires grad）；应放进 `torch.no_grad()`，或改写 "
        "`{name}.data`",
    ),
    "KE223": Text(
        "`{name}` goes into `{buffer}` with the graph of this step: every stored batch keeps its "
        "graph in memory, and a later loss against it goes backward through a graph that is "
        "freed (RuntimeError: Trying to backward through the graph a second time); store "
        "`{name}.detach()`",
        "`{name}` 带着这一步的计算图存进了 `{buffer}`：每次存入的图都一直占着显存；以后拿它算"
        "损失，反向传播会再次穿过已释放的图（RuntimeError: Trying to backward through the graph a "
        "second time）；应存 `{name}.detach()`",
    ),
    "KE224": Text(
        "`{name}` is a new layer, and the rows of the old classes are random as well: the new "
        "model begins at chance on them and has only the soft term to learn them again; copy "
        "`{old}.weight` into `{name}.weight[:{bound}]`, and the bias likewise",
        "`{name}` 是全新的一层，旧类对应的行也是随机的：新模型一开始就不会分旧类，只能靠蒸馏项重新"
        "学；应把 `{old}.weight` 拷进 `{name}.weight[:{bound}]`，偏置同理",
    ),
    "KE225": Text(
        "the share of the old classes stands before the cross-entropy, and the soft term gets that "
        "of the new ones: the more classes are old, the less the old model counts; BiC and WA "
        "weigh the other way round, n_old/n_all before the soft term",
        "旧类所占的比例乘在了交叉熵上，蒸馏项乘的是新类的比例：旧类越多，旧模型反而越不起作用；"
        "BiC、WA 的写法相反，蒸馏项乘 n_旧/n_全部",
    ),
    "KE221": Text(
        "`{call}` (line {line}), by its name, gives the new model a wider head, and the old model "
        "keeps the old one: `{name}` has more columns than the old model's output, and the "
        "comparison stops with a RuntimeError; cut it to the old classes first, `{cut}`",
        "从名字看，`{call}`（第 {line} 行）加宽了新模型的分类头，而旧模型的没有变：`{name}` 的列数"
        "多于旧模型的输出，比较时会报 RuntimeError；应先切到旧类：`{cut}`",
    ),
    "KE220": Text(
        "`{ratio}` is upside down: `{rows}` times this ratio moves still further away from the "
        "norm of the other rows; weight alignment needs `{right}`, after which both have the same "
        "mean norm",
        "`{ratio}` 写反了：`{rows}` 乘上它，范数与另一部分差得更远；权重对齐应乘 `{right}`，乘完"
        "两部分的平均范数才相等",
    ),
    "KE173": Text(
        "`[:, {name}:]` are the new classes, and the old model's output speaks of the old "
        "ones: each new class is taught what the old model says of another class, and it runs "
        "only where both have the same number; the old classes are `[:, :{name}]`",
        "`[:, {name}:]` 是新类，而旧模型的输出对应旧类：每个新类学到的是旧模型对另一个类的输出"
        "，且只有两者个数相同时才能运行；旧类是 `[:, :{name}]`",
    ),
    "KE173-OTHER": Text(
        "the old model's output is cut to `[:, {name}:]`, the new model's to `[:, :{name}]`: each "
        "class is compared with another one; the old classes are `[:, :{name}]` on both sides",
        "旧模型的输出切的是 `[:, {name}:]`，新模型切的是 `[:, :{name}]`：每个类比较的都是另一个类；"
        "旧类在两侧都是 `[:, :{name}]`",
    ),
    "KE174": Text(
        "`[:, {name}:]` are the new classes: the old model's output overwrites the labels of "
        "the new classes, and the old classes keep 0 as their target in every image, so they "
        "are forgotten; it belongs into the old ones, `[:, :{name}]`",
        "`[:, {name}:]` 是新类：旧模型的输出覆盖了新类的标签，而旧类的目标在每张图上都是 0，于"
        "是被遗忘；旧模型的输出应写入旧类 `[:, :{name}]`",
    ),
    "KE175": Text(
        "`{teacher}` has {a} columns here and the student is cut to {b}: the old model has the "
        "grown head as well, so cut it to the same classes before the softmax, `{teacher}[:, "
        ":{name}]`",
        "这里 `{teacher}` 有 {a} 列，而学生切到了 {b} 列：旧模型的头也已扩展，应在 softmax 之前"
        "切到同样的类别：`{teacher}[:, :{name}]`",
    ),
    "KE176": Text(
        "log(p / q) of two softmaxes: where a probability rounds to 0 this is log 0, log inf "
        "or 0/0, and the loss becomes inf or NaN; subtract their log_softmax instead",
        "对两个 softmax 之比取对数：概率舍入为 0 时就是 log 0、log inf 或 0/0，损失变成 inf 或 "
        "NaN；应改为两个 log_softmax 相减",
    ),
    "KE178": Text(
        "the temperature {temperature} stands on one side only: the {side}'s logits are not "
        "divided by it, so even the same logits on both sides give another distribution, and "
        "the term cannot reach its minimum there",
        "温度 {temperature} 只用在了一侧：{side}的 logits 没有除以它，即使两侧 logits 相同，分"
        "布也不同，这一项达不到最小值",
    ),
    "KE179": Text(
        "`{name}` ends in a softmax, and the loss takes a softmax of its output again: the "
        "distribution is almost uniform, no entry exceeds e / (e + C − 1), and the gradient "
        "nearly vanishes; let the last layer return logits",
        "`{name}` 最后一层已是 softmax，损失又对它的输出做了一次 softmax：分布几乎均匀，最大项"
        "不超过 e / (e + C − 1)，梯度几乎消失；最后一层应输出 logits",
    ),
    "KE189": Text(
        "log(softmax(x)) is −inf, and the gradient NaN, where a probability rounds to 0; "
        "log_softmax(x) computes the same without rounding",
        "概率舍入为 0 时 log(softmax(x)) 为 −inf，梯度为 NaN；log_softmax(x) 计算的是同一个量，"
        "不会下溢",
    ),
    "KE180": Text(
        "`{text}` adds the channels with their signs, so positive and negative activations "
        "cancel; an attention map is the sum of their squares, `.pow(2)`, or of their absolute "
        "values. Only behind a ReLU, where nothing is negative, it is the map with p = 1",
        "`{text}` 带着符号把各通道相加，正负激活会互相抵消；注意力图应先取平方 `.pow(2)`（或绝"
        "对值）再求和。只有在 ReLU 之后（没有负值）它才是 p = 1 的注意力图",
    ),
    "KE230": Text(
        "`{text}` runs along dim 0, the batch: each column (one position over all samples) gets "
        "length 1, not each sample's row, so the samples of a batch are mixed and the loss depends "
        "on the batch size; use dim=1",
        "`{text}` 沿第 0 维（批）归一化：长度为 1 的是每一列（同一位置上的整批样本），不是每个样本"
        "的一行，批内样本混在一起，损失还随批大小变化；应为 dim=1",
    ),
    "KE231": Text(
        "`{text}` runs along dim 0, the batch: it compares each feature over all samples, not "
        "the vectors of a sample; for [B, D] it is dim=1",
        "`{text}` 沿第 0 维（批）计算：比较的是同一维特征在整批样本上的取值，不是每个样本的特征"
        "向量；[B, D] 应为 dim=1",
    ),
    "KE232": Text(
        "this hook is put on the student too, and `{text}` cuts what it keeps from the graph: the "
        "terms made of it give the student no gradient; keep the output itself, and run the "
        "teacher under `no_grad`",
        "学生上也注册了这个 hook，而 `{text}` 把存下的特征从计算图上切断：由它算出的各项对学生没有"
        "梯度；应直接保存输出，教师的前向放在 `no_grad` 里",
    ),
    "KE233": Text(
        "the labels are all 0, which makes the first sample of the batch the positive of every "
        "row; the scores are all rows against all rows, so the positive of row i is column i. "
        "Zeros are right only where "
        "column 0 was put there as the positive, `cat([pos, neg], 1)`; here it is "
        "`torch.arange(B)`",
        "标签全为 0，等于说批内第一个样本是所有行的正样本；这里的分数是每一行对每一行，第 i 行的"
        "正样本在第 i 列。只有用 `cat([pos, neg], 1)` 把正样本放在第 0 列时才用全 0；这里应为 "
        "`torch.arange(B)`",
    ),
    "KE234": Text(
        "channel-wise distillation (CWD) turns each channel into a distribution over its H·W "
        "positions; in [B, C, H·W] these are dim 2, and dim=1 runs over the channels",
        "通道蒸馏（CWD）把每个通道变成 H·W 个位置上的分布；在 [B, C, H·W] 中位置是第 2 维，"
        "dim=1 却是沿通道做 softmax",
    ),
    "KE235": Text(
        "`{mask}` is [B, H, W] and the maps are [B, C, H, W]: broadcasting sets the mask's B "
        "against the channels, which ends in a RuntimeError where C is neither B nor 1, and where "
        "C equals B masks channel c with the mask of sample c; `{mask}.unsqueeze(1)` gives it "
        "a dimension for the channels",
        "`{mask}` 是 [B, H, W]，特征图是 [B, C, H, W]：广播时掩码的 B 对上了通道维，C 与 B 不相等"
        "（且不为 1）就报 RuntimeError，C 恰好等于 B 时则不报错，却用第 c 个样本的掩码去遮第 c 个"
        "通道；应写 `{mask}.unsqueeze(1)` 补上通道维",
    ),
    "KE236": Text(
        "`{text}` is one entry of the last dimension, which is gone from it, while what it is "
        "multiplied with still has that dimension: broadcasting sets different dimensions against "
        "each other, a RuntimeError unless their sizes happen to agree; write "
        "`{text}.unsqueeze(-1)`",
        "`{text}` 取的是最后一维的一个元素，这一维已经没有了，而与它相乘的一侧还有这一维：广播时对"
        "上的是不同的维，大小不巧合就报 RuntimeError；应写 `{text}.unsqueeze(-1)`",
    ),
    "KE237": Text(
        "the mixed term `{text}` is subtracted once: the MMD is mean k(t,t) + mean k(s,s) − 2·mean "
        "k(s,t), and only with the 2 it is a squared distance, at least 0 and 0 for s = t",
        "混合项 `{text}` 只减了一次：MMD 是 平均 k(t,t) + 平均 k(s,s) − 2·平均 k(s,t)，有系数 2 才"
        "是平方距离（不小于 0，s = t 时为 0）",
    ),
    "KE238": Text(
        "the differences of all pairs are [B, B, D], and `{text}` does not run along the vectors "
        "(dim 2): it mixes the pairs, and the products behind it are no cosines of angles",
        "两两之差是 [B, B, D]，而 `{text}` 不是沿向量所在的第 2 维归一化：各对之间被混在一起，"
        "后面的内积就不是夹角余弦",
    ),
    "KE199": Text(
        "nothing keeps the squared distances above 0: on the diagonal they are 0 or, by rounding, "
        "a little below, so the root is NaN or has an infinite slope there, and the gradient "
        "becomes NaN even where the diagonal is overwritten behind it; `.clamp(min=1e-12)` before "
        "the root",
        "没有任何地方保证距离的平方大于 0：对角线上它等于 0，舍入后还可能略小于 0，开方得到 NaN，"
        "或者斜率无穷大，即使之后把对角线改成 0，梯度仍是 NaN；应在开方之前加 `.clamp(min=1e-12)`",
    ),
    "KE239": Text(
        "both sides go through layers that this loss trains (`{layers}`), and nothing else holds "
        "them: the distance falls to 0 when both give the same constant, whatever the student "
        "learns; project the student alone, or keep the teacher's layer fixed",
        "两侧都经过由这个损失训练的层（`{layers}`），又没有别的约束：两层都输出同一个常数时距离就"
        "是 0，学生什么也没学到；应只对学生做映射，或把教师一侧的层固定",
    ),
    "KE181": Text(
        "the target −1 pushes the two apart: the loss is max(0, cos) and grows as they become "
        "alike; to make them alike the target is +1, the loss 1 − cos",
        "目标 −1 会把两者推开：损失是 max(0, cos)，越相似损失越大；要拉近两者，目标应为 +1，损"
        "失为 1 − cos",
    ),
    "KE181-PLUS": Text(
        "the similarity itself is minimised, so the features are driven apart; to make them alike "
        "the term is 1 − cos",
        "这里最小化的是相似度本身，特征会被推开；要拉近两者，这一项应为 1 − cos",
    ),
    "KE182": Text(
        "the similarities are multiplied by the temperature `{name}`: with a value below 1, as "
        "is usual here (0.07), they all become nearly alike, and the loss stays at log(batch); "
        "divide by it",
        "相似度乘以了温度 `{name}`：这里常用小于 1 的值（如 0.07），相乘后各项几乎相等，损失停"
        "在 log(batch)；应改为除以它",
    ),
    "KE183": Text(
        "the temperature is 0 at {step} = {last}: the logits are divided by 0, and the loss is "
        "NaN there; just before that the distributions are one-hot. Keep it at 1 or more, "
        "max(1.0, …)",
        "{step} = {last} 时温度为 0：logits 除以 0，损失为 NaN；在此之前分布也已接近 one-hot。"
        "应让温度不小于 1：max(1.0, …)",
    ),
    "KE184": Text(
        "where `{mask}` selects nothing in a batch this is 0/0: the loss is NaN, and the "
        "weights with it after that step; divide by at least 1, `.clamp(min=1)`, or leave the "
        "term out",
        "某个批次中 `{mask}` 一个都没选中时，这里是 0/0：损失为 NaN，更新之后权重也变成 NaN；应"
        "让分母至少为 1（`.clamp(min=1)`），或跳过这一项",
    ),
    "KE185": Text(
        "the teacher stands in the input and the student in the target: this is KL(student ‖ "
        "teacher), the reverse of the distillation loss; kl_div(input, target) takes the "
        "student's log-probabilities first",
        "教师在 input、学生在 target：这是 KL(学生 ‖ 教师)，与蒸馏损失方向相反；kl_div(input, "
        "target) 的第一个参数应是学生的对数概率",
    ),
    "KE186": Text(
        "its name says reverse KL, and this is KL(teacher ‖ student), the forward one: for the "
        "reverse the teacher's log-probabilities are the input and the student's probabilities "
        "the target",
        "名字说的是反向 KL，而这里是 KL(教师 ‖ 学生)，即前向 KL：反向 KL 应以教师的对数概率为 "
        "input、学生的概率为 target",
    ),
    "KE188": Text(
        "`{text}` makes the labels [B, 1]; cross_entropy wants one class index for each "
        "sample, [B], and stops with a RuntimeError",
        "`{text}` 把标签变成了 [B, 1]；cross_entropy 要求每个样本一个类别下标，即 [B]，这里会报"
        " RuntimeError",
    ),
    "KE177": Text(
        "the mask is turned round: `{text}` keeps the padding and leaves out the tokens that count",
        "掩码反了：`{text}` 留下的是填充位置，真正要算的位置反而被去掉了",
    ),
    "KE190": Text(
        "the target is the teacher's scores, and it must be probabilities: put {function} "
        "around them. With scores there the loss has no lower bound",
        "目标给的是教师的原始分数，应当是概率：先做 {function}。给原始分数时损失没有下界",
    ),
    "KE191": Text(
        "binary_cross_entropy wants probabilities in [0, 1] and is given logits: it stops with "
        "a RuntimeError; binary_cross_entropy_with_logits takes the sigmoid itself",
        "binary_cross_entropy 要求输入是 [0, 1] 内的概率，这里给的是 logits：会报 RuntimeError"
        "；binary_cross_entropy_with_logits 内部会做 sigmoid",
    ),
    "KE192": Text(
        "the student's probabilities are the labels and the teacher's logits what is "
        "predicted: this is the cross-entropy in the other direction, and the target moves "
        "with the student; exchange them",
        "学生的概率被当作标签，被预测的却是教师的 logits：方向反了，而且目标会随学生变动；应交"
        "换两侧",
    ),
    "KE193": Text(
        "this loss takes the logarithm of both arguments itself and is given "
        "log-probabilities: they are negative, Keras clips them to 1e-7, and the term becomes "
        "a large constant that trains nothing; give it probabilities",
        "这个损失内部会对两个参数取对数，这里给的却已是对数概率：它们是负数，会被 Keras 截成 "
        "1e-7，这一项变成很大的常数，不产生梯度；应传入概率",
    ),
    "KE194": Text(
        "the term is summed over the batch, {factor} times {name}: beside a mean its weight "
        "grows with the batch size; reduction='batchmean' divides by the batch",
        "这一项对整个批求和，是“{name}”的 {factor} 倍：旁边的项取的是平均，它的权重就随批大小变"
        "化；用 reduction='batchmean' 除以批大小",
    ),
    "KE201": Text(
        "`{name} = ...` only gives the loop's own name a new tensor: the parameters of `{model}` "
        "stay as they were, and the average is never updated; write into the parameter, "
        "`{name}.data = ...` or `{name}.data.mul_(...).add_(...)`",
        "`{name} = ...` 只是让循环变量指向一个新张量：`{model}` 的参数原封不动，滑动平均从未更新；"
        "应写进参数本身：`{name}.data = ...` 或 `{name}.data.mul_(...).add_(...)`",
    ),
    "KE202": Text(
        "the gradients are clipped while they are still multiplied with the scale of `{scaler}` "
        "(65536 at first): nearly every step is clipped, and what is left is the limit divided by "
        "that scale; call `{scaler}.unscale_({optimizer})` before clipping",
        "裁剪时梯度还乘着 `{scaler}` 的缩放系数（初值 65536）：几乎每一步都会被裁剪，还原之后只剩阈"
        "值除以这个系数；裁剪之前应先调用 `{scaler}.unscale_({optimizer})`",
    ),
    "KE203": Text(
        "`{name}.step()` stands in the loop over the batches, while the numbers of this `{kind}` "
        "count epochs: the learning rate falls within the first epochs already; step it once per "
        "epoch, behind that loop",
        "`{name}.step()` 写在遍历批次的循环里，而这个 `{kind}` 的数字是按 epoch 计的：学习率在头几"
        "个 epoch 就降下去了；应放到该循环之后，每个 epoch 调用一次",
    ),
    "KE200": Text(
        "`{name}` is evaluated in training mode: dropout is on, and BatchNorm normalises with the "
        "statistics of each batch and takes those of the held-out data into its running "
        "statistics, so the measured accuracy is off and varies from run to run; call "
        "`{name}.eval()` before this loop and `{name}.train()` before training goes on",
        "`{name}` 在训练模式下做评估：dropout 开着，BatchNorm 用每个批次自己的统计量归一化，还会把"
        "验证数据混进滑动统计量，测得的精度偏离真实值，而且忽高忽低；应在这个循环之前调用 "
        "`{name}.eval()`，继续训练之前再调用 `{name}.train()`",
    ),
    "KE195": Text(
        "this loss wants probabilities on both sides and is given logits: Keras clips what is "
        "negative to 1e-7, and the result is no divergence; put a softmax around both, at the "
        "same temperature",
        "这个损失两侧都应是概率，这里给的却是 logits：Keras 会把负数截成 1e-7，结果不是散度；两"
        "侧都应先做同一温度的 softmax",
    ),
}
"""By code."""

SUM_RETAINED = Text(
    "`{name}` is never started anew inside the loop: it holds the losses of all earlier steps with "
    "their graphs, which retain_graph=True keeps, so memory and time grow with each step. And "
    "backward() goes through those graphs again, whose weights step() has changed in place: with "
    "more than one layer that is a RuntimeError; start `{name}` anew in every step",
    "`{name}` 在循环里从不重新开始：里面一直累着以前各步的损失和计算图，retain_graph=True 又不让它"
    "们释放，显存和耗时逐步增长。而且 backward() 会再次经过这些旧图，其中的权重已被 step() 原地改"
    "动：网络不止一层时就会报 RuntimeError；应在每一步重新开始累加 `{name}`",
)
"""KE142 where the graphs are kept."""

OWN_PAGES: dict[str, tuple[Text, Text]] = {
    "KE104": (
        Text("A temperature that is not defined", "没有定义的温度"),
        Text(
            "The function reads a name that neither it nor the file sets: a NameError at the first "
            "call. In the corrected code it is a parameter with a usual default.",
            "函数读取了一个谁也没有赋值的名字：第一次调用就报 NameError。修正后的"
            "代码把它改成带默认值"
            "的参数。",
        ),
    ),
    "KE105": (
        Text("A soft term without T²", "软标签项漏了 T²"),
        Text(
            "Found by numbers: the term divided by its definition is 1/T² for all inputs. If the "
            "soft term stands alone, T² only rescales the learning rate.",
            "由数值比较得出：对任何输入，该项除以定义都等于 1/T²。如果只有软标签项，T² 只相当于改变"
            "学习率。",
        ),
    ),
    "KE106": (
        Text("A wrong sign inside a loss", "损失内部的符号错误"),
        Text(
            "With the sign of one addend changed the code equals the published loss for all "
            "inputs; as it stands it does not.",
            "把其中一项变号后，代码对任何输入都等于论文的损失；现在的写法则不等。",
        ),
    ),
    "KE107": (
        Text("A term outside the graph", "脱离计算图的损失项"),
        Text(
            "`.item()` and `.detach()` give a constant: ∂(L + c)/∂θ = ∂L/∂θ.",
            "`.item()` 和 `.detach()` 得到常数：∂(L + c)/∂θ = ∂L/∂θ。",
        ),
    ),
    "KE108": (
        Text("A peer's output as a target, not detached", "同伴网络的输出作目标而没有 detach"),
        Text(
            "In deep mutual learning each network imitates the other, which is held fixed for "
            "that term. Without `.detach()` the teacher of the moment is also pulled to its pupil.",
            "深度互学习中，每个网络模仿另一个，而在该项里另一个保持不变。不加 `.detach()` 时，"
            "当时的“教师”也会被拉向“学生”。",
        ),
    ),
    "KE109": (
        Text("A normalised value that is not used", "归一化结果没有使用"),
        Text(
            "`F.normalize(x)` returns a new tensor and leaves x as it is; a name that nobody reads "
            "does nothing.",
            "`F.normalize(x)` 返回新张量，x 本身不变；没有人读取的变量不起作用。",
        ),
    ),
    "KE110": (
        Text("Softmax of probabilities", "对概率再做 softmax"),
        Text(
            "No output of the second softmax exceeds e/(e + C − 1): 0.23 for 10 classes.",
            "第二次 softmax 的输出不会超过 e/(e + C − 1)：10 类时为 0.23。",
        ),
    ),
    "KE111": (
        Text("Heads of different size", "分类头大小不同"),
        Text(
            "After new classes were added the new head is wider than the old one; only the old "
            "columns can be compared.",
            "加入新类后，新分类头比旧的宽；只有旧类的那些列可以比较。",
        ),
    ),
    "KE112": (
        Text("Padding is distilled", "填充位置也参与了蒸馏"),
        Text(
            "The mean runs over all positions; with 80 % padding four fifths of the gradient teach "
            "nothing.",
            "平均覆盖所有位置；若 80 % 是填充，五分之四的梯度没有意义。",
        ),
    ),
    "KE113": (
        Text("A sum over positions", "对位置求和"),
        Text(
            "For [B, S, C] flatten to [B·S, C] first; for [B, C, H, W] move the channels last and "
            "flatten, or divide by the number of positions.",
            "[B, S, C] 先展平成 [B·S, C]；[B, C, H, W] 先把通道移到最后再展平，或者除以位置个数。",
        ),
    ),
    "KE114": (
        Text("A mean over classes", "对类别取了平均"),
        Text(
            "The KL of a sample is a sum over classes; a mean over all elements is 1/C of it.",
            "每个样本的 KL 是对类别求和；对所有元素取平均只有它的 1/C。",
        ),
    ),
    "KE115": (
        Text("Target and prediction exchanged", "目标与预测的位置反了"),
        Text(
            "Keras' KLDivergence is called as (y_true, y_pred): the teacher comes first.",
            "Keras 的 KLDivergence 按 (y_true, y_pred) 调用：教师在前。",
        ),
    ),
    "KE116": (
        Text("Softmax over the batch", "在批维上做 softmax"),
        Text("The classes are the last axis: axis=-1.", "类别在最后一维：axis=-1。"),
    ),
    "KE117": (
        Text("Probabilities where log-probabilities belong", "该给对数概率的地方给了概率"),
        Text(
            "kl_div(input, target) = Σ target·(log target − input) takes no log of `input`.",
            "kl_div(input, target) = Σ target·(log target − input)，不会对 input 取对数。",
        ),
    ),
    "KE118": (
        Text("Log-probabilities where probabilities belong", "该给概率的地方给了对数概率"),
        Text("The target of kl_div is a distribution.", "kl_div 的目标应是概率分布。"),
    ),
    "KE119": (
        Text("A sum over teachers", "对教师求和"),
        Text(
            "Divide by the number of teachers, or use weights that sum to 1.",
            "除以教师个数，或使用总和为 1 的权重。",
        ),
    ),
    "KE121": (
        Text("A layer made inside the loss", "在损失函数里创建的层"),
        Text(
            "A projector belongs to the student: it is trained with it. Made in `__init__`, its "
            "parameters reach `optimizer = ...(list(student.parameters()) + "
            "list(projector.parameters()))`.",
            "投影层属于学生，要一起训练：在 `__init__` 里创建，"
            "并把它的参数与学生的参数一起交给优化器。",
        ),
    ),
    "KE122": (
        Text("A loss that a loop overwrites", "被循环覆盖的损失"),
        Text("Start at 0 and add: `loss += ...`.", "从 0 开始累加：`loss += ...`。"),
    ),
    "KE150": (
        Text("A value that nothing reads", "算出来却没有用到的值"),
        Text(
            "A schedule, a mask or an average acts only where the loss is made of it.",
            "调度、掩码、平均值只有真正写进损失里才起作用。",
        ),
    ),
    "KE151": (
        Text("A line without effect", "不起作用的一行"),
        Text(
            "`loss / n`, `x.to(device)` and `x.clamp(min=0)` return a new tensor and leave the old "
            "one as it is; `p.requires_grad == False` sets nothing; `opt.step` calls nothing.",
            "`loss / n`、`x.to(device)`、`x.clamp(min=0)` 都返回新张量，原来的不变；"
            "`p.requires_grad == False` 什么也没设置；`opt.step` 什么也没调用。",
        ),
    ),
    "KE153": (
        Text("A running sum that is never reset", "从不清零的累计值"),
        Text(
            "Training is not touched; the printed mean is wrong.",
            "训练不受影响，打印的平均值有误。",
        ),
    ),
    "KE154": (
        Text("A graph that is gone back through twice", "同一张计算图被反向传播两次"),
        Text(
            "`retain_graph=True` hides the error and keeps computing gradients that nobody uses.",
            "`retain_graph=True` 只是掩盖错误，还会一直计算没有人用的梯度。",
        ),
    ),
    "KE155": (
        Text("A teacher whose mode is not set", "没有设置教师的模式"),
        Text(
            "`teacher.eval()` once before the loop. A model from `from_pretrained` is in eval mode "
            "already, one made by its class is not.",
            "在循环之前调用一次 `teacher.eval()`。`from_pretrained` 得到的模型已是 eval 模式，"
            "直接由类构造的不是。",
        ),
    ),
    "KE156": (
        Text("A number that is indexed", "对标量取下标"),
        Text("`loss.item()` gives the number.", "`loss.item()` 得到数值。"),
    ),
    "KE157": (
        Text("volatile=True", "volatile=True"),
        Text(
            "`with torch.no_grad(): t = teacher(x)`; Variable is a tensor today.",
            "写成 `with torch.no_grad(): t = teacher(x)`；如今 Variable 就是张量。",
        ),
    ),
    "KE158": (
        Text("Buffers that the average leaves out", "滑动平均漏掉的 buffer"),
        Text(
            "`for b, c in zip(teacher.buffers(), student.buffers()): b.copy_(c)`.",
            "写成 `for b, c in zip(teacher.buffers(), student.buffers()): b.copy_(c)`。",
        ),
    ),
    "KE159": (
        Text("A penalty without gradient", "没有梯度的惩罚项"),
        Text(
            "Detach the old parameters, never those that are trained.",
            "该 detach 的是旧参数，不是正在训练的参数。",
        ),
    ),
    "KE160": (
        Text("A loss that is not returned", "没有返回的损失"),
        Text("A function without `return` gives None.", "没有 `return` 的函数返回 None。"),
    ),
    "KE161": (
        Text("return_outputs is ignored", "忽略了 return_outputs"),
        Text(
            "`return (loss, outputs) if return_outputs else loss`.",
            "写成 `return (loss, outputs) if return_outputs else loss`。",
        ),
    ),
    "KE162": (
        Text("Labels with a dimension too many", "标签多了一维"),
        Text("[B, 1] becomes [B] by `.squeeze(1)`.", "[B, 1] 用 `.squeeze(1)` 变成 [B]。"),
    ),
    "KE152": (
        Text("Half a training step", "不完整的训练步骤"),
        Text(
            "`opt.zero_grad(); loss.backward(); opt.step()`.",
            "写成 `opt.zero_grad(); loss.backward(); opt.step()`。",
        ),
    ),
    "KE164": (
        Text("A scheduler that never steps", "从未调用 step 的学习率调度器"),
        Text("`scheduler.step()` once an epoch.", "每个 epoch 调用一次 `scheduler.step()`。"),
    ),
    "KE165": (
        Text("Training in evaluation mode", "在评估模式下训练"),
        Text(
            "Only the teacher is put in eval mode; the student after each evaluation back in "
            "train mode.",
            "只有教师切到 eval 模式；学生每次评估之后要切回 train 模式。",
        ),
    ),
    "KE166": (
        Text("The student is frozen", "学生被冻结"),
        Text("`teacher.requires_grad_(False)`.", "写成 `teacher.requires_grad_(False)`。"),
    ),
    "KE167": (
        Text("An optimiser in the loop", "循环里创建优化器"),
        Text("Adam and momentum remember earlier steps.", "Adam 和动量要记住之前的各步。"),
    ),
    "KE168": (
        Text("A sum that is not gone back from", "总损失没有参与反传"),
        Text("`loss = ce + kd; loss.backward()`.", "写成 `loss = ce + kd; loss.backward()`。"),
    ),
    "KE169": (
        Text("Changed in place after use", "用过之后又被原地修改"),
        Text("`x = x / n` instead of `x /= n`.", "用 `x = x / n` 代替 `x /= n`。"),
    ),
    "KE163": (
        Text("Old parameters that are not copied", "没有拷贝的旧参数"),
        Text(
            "`.data` and `.detach()` share the memory of the parameter; `.detach().clone()` does "
            "not.",
            "`.data` 和 `.detach()` 与参数共享内存，`.detach().clone()` 才是拷贝。",
        ),
    ),
    "KE123": (
        Text("A student without gradient", "不带梯度的学生"),
        Text(
            "Only the teacher belongs inside `torch.no_grad()` or behind `.detach()`.",
            "只有教师应放进 `torch.no_grad()` 或加 `.detach()`。",
        ),
    ),
    "KE124": (
        Text("A mask with the wrong sign", "掩码的符号反了"),
        Text(
            "DKD leaves the true class out of NCKD by `logits - 1000 * mask`: its probability "
            "becomes 0. With a plus the other classes are left out.",
            "DKD 的 NCKD 用 `logits - 1000 * mask` 去掉目标类，使其概率为 0；"
            "写成加号去掉的就是其余类别。",
        ),
    ),
    "KE125": (
        Text("compute_loss lacks a parameter", "compute_loss 缺少参数"),
        Text(
            "`def compute_loss(self, model, inputs, return_outputs=False, "
            "num_items_in_batch=None)`, or `**kwargs`.",
            "写成 `def compute_loss(self, model, inputs, return_outputs=False, "
            "num_items_in_batch=None)`，或加 `**kwargs`。",
        ),
    ),
    "KE126": (
        Text("No Jensen–Shannon divergence", "不是 JS 散度"),
        Text(
            "Remember that kl_div(log a, b) is KL(b ‖ a): for KL(P ‖ M) the first argument is "
            "log M.",
            "注意 kl_div(log a, b) 计算的是 KL(b ‖ a)：要得到 KL(P ‖ M)，第一个参数应是 log M。",
        ),
    ),
    "KE127": (
        Text("T² of another temperature", "T² 用的是另一个温度"),
        Text(
            "With a schedule the factor follows the temperature: both are the T of this step.",
            "温度随训练变化时，系数也要用当前这一步的 T。",
        ),
    ),
    "KE128": (
        Text("A graph kept in every round", "每一轮都保留计算图"),
        Text("`running += loss.item()`.", "写成 `running += loss.item()`。"),
    ),
    "KE129": (
        Text("Masked positions in the mean", "被掩掉的位置也算进了平均"),
        Text("`(x * mask).sum() / mask.sum()`.", "写成 `(x * mask).sum() / mask.sum()`。"),
    ),
    "KE130": (
        Text("A mask that is not shifted", "没有移位的掩码"),
        Text(
            "Logits `[:, :-1]` go with labels and mask `[:, 1:]`.",
            "logits 取 `[:, :-1]` 时，标签和掩码取 `[:, 1:]`。",
        ),
    ),
    "KE131": (
        Text("Softmax over positions or pixels", "softmax 做在了位置或空间维上"),
        Text(
            "In [B, C, H, W] the classes are dim 1; -1 is the width. In [B, S, C] they are the "
            "last dimension, and dim 1 is the positions.",
            "[B, C, H, W] 中类别是第 1 维，-1 是宽；[B, S, C] 中类别是最后一维，第 1 维是位置。",
        ),
    ),
    "KE132": (
        Text("A network that is its own target", "以自己的输出为目标"),
        Text(
            "Keep a copy before training goes on, `old = copy.deepcopy(model).eval()`, and take "
            "the targets from it.",
            "继续训练之前先保存一份拷贝 `old = copy.deepcopy(model).eval()`，用它给出目标。",
        ),
    ),
    "KE133": (
        Text("−inf before kl_div", "kl_div 之前用了 −inf"),
        Text(
            "Softmax takes −inf well, the product with the target in kl_div does not.",
            "softmax 可以处理 −inf，但 kl_div 中与目标的乘积会变成 NaN。",
        ),
    ),
    "KE134": (
        Text("Tensors given to a loss class", "把张量传给了损失类的构造函数"),
        Text(
            '`nn.KLDivLoss(reduction="batchmean")(log_q, p)`, or the function `F.kl_div`.',
            '写成 `nn.KLDivLoss(reduction="batchmean")(log_q, p)`，或用函数 `F.kl_div`。',
        ),
    ),
    "KE135": (
        Text("Gradients that nothing clears", "从不清零的梯度"),
        Text(
            "backward() adds to .grad. With accumulation on purpose, clear after each step.",
            "backward() 会把梯度累加到 .grad；若有意累积梯度，也要在每次 step 之后清零。",
        ),
    ),
    "KE136": (
        Text("A layer that no optimiser has", "不在优化器里的层"),
        Text(
            "The projector is trained together with the student: "
            "`SGD([*student.parameters(), *hint.parameters()], lr=0.05)`.",
            "投影层要和学生一起训练：`SGD([*student.parameters(), *hint.parameters()], lr=0.05)`。",
        ),
    ),
    "KE137": (
        Text("A target that is no distribution", "目标不是概率分布"),
        Text(
            "Found by numbers: over the classes the target sums to the number of softmaxes that "
            "were added. Divide by it, or use weights that sum to 1.",
            "由数值得出：目标在类别上的和等于相加的 softmax 个数。"
            "应除以个数，或使用总和为 1 的权重。",
        ),
    ),
    "KE142": (
        Text("A sum that outlives its step", "跨步累加的损失"),
        Text(
            "Add up numbers for the log alone: `total += loss.item()`, and go back from `loss`.",
            "只为记录而累加数值：`total += loss.item()`，反向传播用 `loss`。",
        ),
    ),
    "KE143": (
        Text("The last classes taken for the old ones", "把最后几类当成旧类"),
        Text("New classes are appended behind the old ones.", "新类接在旧类之后。"),
    ),
    "KE144": (
        Text("Differences that cancel", "会相互抵消的差"),
        Text(
            "`(a - b).pow(2).mean()`, or `.abs()`.", "写成 `(a - b).pow(2).mean()`，或用 `.abs()`。"
        ),
    ),
    "KE145": (
        Text("Two sides at different positions", "两侧位置错开"),
        Text(
            "`student[:, :-1]` with `teacher[:, :-1]`.", "`student[:, :-1]` 对 `teacher[:, :-1]`。"
        ),
    ),
    "KE146": (
        Text("A mean over padding", "填充也算进了平均"),
        Text("`(kl * mask).sum() / mask.sum()`.", "写成 `(kl * mask).sum() / mask.sum()`。"),
    ),
    "KE241": (
        Text("A softmax by hand that can overflow", "手写的 softmax 会溢出"),
        Text(
            "`F.softmax(x, dim=1)`, or subtract the maximum.",
            "用 `F.softmax(x, dim=1)`，或先减去最大值。",
        ),
    ),
    "KE240": (
        Text("A teacher that does not see the mixture", "教师没有看到混合后的图"),
        Text("`teacher(mixed)` beside `student(mixed)`.", "`student(mixed)` 对 `teacher(mixed)`。"),
    ),
    "KE147": (
        Text("Logits as soft labels", "把 logits 当作软标签"),
        Text(
            "`labels=tf.nn.softmax(teacher_logits / T)`.",
            "写成 `labels=tf.nn.softmax(teacher_logits / T)`。",
        ),
    ),
    "KE139": (
        Text("The same term twice", "同一项出现两次"),
        Text(
            "DIST's second term compares the columns, `pearson(ps.t(), pt.t())`.",
            "例如 DIST 的第二项比较的是列：`pearson(ps.t(), pt.t())`。",
        ),
    ),
    "KE140": (
        Text("Two sides that are treated differently", "两侧处理不一致"),
        Text(
            "Found by comparing both sides operation by operation.",
            "由逐个操作比较两侧得出。",
        ),
    ),
    "KE141": (
        Text("A term that is always 0", "恒为 0 的项"),
        Text(
            "Found by numbers: a mask with the wrong sign, or the same tensor on both sides.",
            "由数值得出：常见原因是掩码的符号反了，或两侧是同一个张量。",
        ),
    ),
    "KE138": (
        Text("A map normalised along one side", "只沿一条边归一化的注意力图"),
        Text(
            "`F.normalize(x.pow(2).mean(1).flatten(1), dim=1)`.",
            "写成 `F.normalize(x.pow(2).mean(1).flatten(1), dim=1)`。",
        ),
    ),
    "KE120": (
        Text("A teacher in training mode", "处于训练模式的教师"),
        Text(
            "Call `teacher.eval()` once before the loop; `torch.no_grad()` does not do this.",
            "在循环之前调用一次 `teacher.eval()`；`torch.no_grad()` 不起这个作用。",
        ),
    ),
    "KE170": (
        Text(
            "Labels that are not shifted",
            "标签没有错位",
        ),
        Text(
            "A causal language model predicts the next token. `transformers` shifts inside the "
            "model for `labels=` alone; a loss that is written by hand must shift itself.",
            "因果语言模型预测的是下一个 token。`transformers` 只对传入的 `labels=` 在模型内部错"
            "位；自己写损失时要自己错位。",
        ),
    ),
    "KE210": (
        Text("Labels cut at the wrong end", "标签切错了一端"),
        Text(
            "The model learns to copy its input, not to predict; generation repeats itself.",
            "模型学到的是照抄输入而不是预测；生成时会不停重复。",
        ),
    ),
    "KE211": (
        Text("Padding among the labels", "标签里有填充"),
        Text(
            "`labels = ids.masked_fill(attention_mask == 0, -100)`.",
            "写成 `labels = ids.masked_fill(attention_mask == 0, -100)`。",
        ),
    ),
    "KE212": (
        Text("A teacher among a module's own parameters", "自身参数里包含教师"),
        Text(
            "A module that is assigned to `self` is a part of it: `self.parameters()` goes through "
            "all parts.",
            "赋给 `self` 的模块都是它的子模块：`self.parameters()` 会遍历全部子模块。",
        ),
    ),
    "KE213": (
        Text("Stored log-probabilities without log_target", "存的是对数概率却没有 log_target"),
        Text(
            "`F.kl_div(log_q, log_p, log_target=True, reduction='batchmean')`.",
            "写成 `F.kl_div(log_q, log_p, log_target=True, reduction='batchmean')`。",
        ),
    ),
    "KE214": (
        Text("Accumulated gradients that nothing divides", "累积的梯度没有平均"),
        Text(
            "Adam hides most of the factor, gradient clipping and weight decay do not.",
            "Adam 会抵消大部分倍数，梯度裁剪和权重衰减则不会。",
        ),
    ),
    "KE171": (
        Text(
            "A mask one token off",
            "掩码错开了一个 token",
        ),
        Text(
            "With the mask of the labels on unshifted logits the last position before an "
            "answer is left out, and the first one behind it counts.",
            "把标签的掩码直接用在未错位的 logits 上，会漏掉回答之前的那个位置，却算进回答之后的"
            "一个位置。",
        ),
    ),
    "KE172": (
        Text(
            "A view that mixes classes and pixels",
            "view 把类别和像素混在一起",
        ),
        Text(
            "`view` and `reshape` never move numbers. [B, C, H, W] to rows of classes needs a "
            "permute first; labels of [B, H, W] need none.",
            "`view` 和 `reshape` 不会移动数据。要把 [B, C, H, W] 变成一行一个像素，必须先 "
            "permute；[B, H, W] 的标签则不用。",
        ),
    ),
    "KE222": (
        Text("A parameter written into in place", "就地改写参数"),
        Text(
            "Autograd forbids in-place changes of leaf tensors that need gradients.",
            "自动求导不允许就地修改需要梯度的叶子张量。",
        ),
    ),
    "KE223": (
        Text("Outputs stored with their graph", "连同计算图一起存下的输出"),
        Text(
            "A target that is stored is a constant: `.detach()` keeps the numbers and lets the "
            "graph go.",
            "存下来的目标应是常数：`.detach()` 只留数值，计算图随即释放。",
        ),
    ),
    "KE224": (
        Text("A head that begins anew", "重新初始化的分类头"),
        Text(
            "Widening a head means a larger layer with the old rows kept: only the new rows begin "
            "at random.",
            "加宽分类头是换一个更大的层并保留旧的行，只有新类的行随机初始化。",
        ),
    ),
    "KE225": (
        Text("Shares exchanged", "两个比例放反"),
        Text(
            "With λ = n_old/n_all the weight of the old model grows with what there is to keep.",
            "λ = n_旧/n_全部 时，需要保留的越多，旧模型的权重越大。",
        ),
    ),
    "KE221": (
        Text("A wider head compared whole", "加宽后的分类头未切片就与旧模型比较"),
        Text(
            "Both sides of a distillation term must have the same classes: the softmax of the new "
            "model over all classes is no distribution over the old ones.",
            "蒸馏项两侧的类别必须相同：新模型在全部类别上的 softmax，不是旧类上的分布。",
        ),
    ),
    "KE220": (
        Text("Weight alignment upside down", "权重对齐的比值写反"),
        Text(
            "After a task the weights of the new classes have the larger norms, so γ = mean‖w_old‖ "
            "/ mean‖w_new‖ is below 1 and takes back the bias; its inverse makes it stronger.",
            "学完一个任务后，新类权重的范数偏大，所以 γ = 平均‖w_旧‖ / 平均‖w_新‖ 小于 1，用来消除"
            "偏向；取倒数反而加重偏向。",
        ),
    ),
    "KE173": (
        Text(
            "New classes compared with the old model",
            "拿新类与旧模型比较",
        ),
        Text(
            "New classes are appended behind the old ones, so the old model's columns stand "
            "for the first ones of the new head.",
            "新类接在旧类之后，旧模型的各列对应新分类头最前面的几列。",
        ),
    ),
    "KE174": (
        Text(
            "The wrong half of the target replaced",
            "目标替换错了一半",
        ),
        Text(
            "iCaRL keeps the one-hot labels of the new classes and replaces those of the old "
            "classes by the old model's sigmoid outputs.",
            "iCaRL 保留新类的 one-hot 标签，把旧类部分换成旧模型的 sigmoid 输出。",
        ),
    ),
    "KE175": (
        Text(
            "A teacher with more classes than the student",
            "教师的类别比学生多",
        ),
        Text(
            "Cut before the softmax: probabilities that are cut behind it do not sum to 1.",
            "应在 softmax 之前切：之后再切，概率之和不为 1。",
        ),
    ),
    "KE176": (
        Text(
            "The logarithm of a ratio of softmaxes",
            "对 softmax 之比取对数",
        ),
        Text(
            "log(p / q) = log_softmax(t) − log_softmax(s), which does not round to 0.",
            "log(p / q) = log_softmax(t) − log_softmax(s)，不会舍入为 0。",
        ),
    ),
    "KE178": (
        Text(
            "A temperature on one side",
            "只有一侧用了温度",
        ),
        Text(
            "softmax(t / T) against log_softmax(s / T): both sides at the same T, and T² in front.",
            "应是 softmax(t / T) 对 log_softmax(s / T)：两侧用同一个 T，前面再乘 T²。",
        ),
    ),
    "KE179": (
        Text(
            "A softmax in the model and in the loss",
            "模型和损失里都做了 softmax",
        ),
        Text(
            "One softmax: either logits with from_logits=True, or probabilities with "
            "from_logits=False. A temperature needs logits.",
            "只做一次 softmax：要么输出 logits 并用 from_logits=True，要么输出概率并用 "
            "from_logits=False；要用温度就必须有 logits。",
        ),
    ),
    "KE189": (
        Text(
            "The logarithm of a softmax",
            "对 softmax 取对数",
        ),
        Text(
            "`jax.nn.log_softmax`, `tf.nn.log_softmax`.",
            "用 `jax.nn.log_softmax`、`tf.nn.log_softmax`。",
        ),
    ),
    "KE180": (
        Text(
            "Attention maps without a square",
            "没有取平方的注意力图",
        ),
        Text(
            "Zagoruyko and Komodakis 2017: F(A) = Σ_c |A_c|^p, p = 2 in their experiments.",
            "Zagoruyko、Komodakis 2017：F(A) = Σ_c |A_c|^p，实验中 p = 2。",
        ),
    ),
    "KE230": (
        Text("Normalised along the batch", "沿批归一化"),
        Text("`F.normalize(x.flatten(1), dim=1)`.", "写成 `F.normalize(x.flatten(1), dim=1)`。"),
    ),
    "KE231": (
        Text("A cosine along the batch", "沿批计算的余弦"),
        Text("`F.cosine_similarity(a, b, dim=1)`.", "写成 `F.cosine_similarity(a, b, dim=1)`。"),
    ),
    "KE232": (
        Text("A hook that cuts the student's graph", "切断学生计算图的 hook"),
        Text("`feats[name] = output`.", "写成 `feats[name] = output`。"),
    ),
    "KE233": (
        Text("All positives in column 0", "正样本全在第 0 列"),
        Text(
            "`labels = torch.arange(sim.size(0))`.", "写成 `labels = torch.arange(sim.size(0))`。"
        ),
    ),
    "KE234": (
        Text("CWD over the channels", "沿通道做 softmax 的 CWD"),
        Text(
            "`F.softmax(f.view(b, c, -1) / T, dim=2)`.",
            "写成 `F.softmax(f.view(b, c, -1) / T, dim=2)`。",
        ),
    ),
    "KE235": (
        Text("A mask without a dimension for the channels", "没有通道维的掩码"),
        Text("`diff * mask.unsqueeze(1)`.", "写成 `diff * mask.unsqueeze(1)`。"),
    ),
    "KE236": (
        Text("A dimension that an index dropped", "被下标去掉的一维"),
        Text("`x[..., :4] * w[..., 4:5]`.", "写成 `x[..., :4] * w[..., 4:5]`。"),
    ),
    "KE237": (
        Text("The mixed term of the MMD once", "MMD 的混合项少了系数 2"),
        Text(
            "`kss.mean() + ktt.mean() - 2 * kst.mean()`.",
            "写成 `kss.mean() + ktt.mean() - 2 * kst.mean()`。",
        ),
    ),
    "KE238": (
        Text("Directions normalised along the wrong dimension", "方向向量沿错误的维归一化"),
        Text(
            "`F.normalize(e.unsqueeze(0) - e.unsqueeze(1), dim=2)`.",
            "写成 `F.normalize(e.unsqueeze(0) - e.unsqueeze(1), dim=2)`。",
        ),
    ),
    "KE199": (
        Text("A root of distances that may be 0", "可能为 0 的距离开方"),
        Text("`d2.clamp(min=1e-12).sqrt()`.", "写成 `d2.clamp(min=1e-12).sqrt()`。"),
    ),
    "KE239": (
        Text("Both sides projected by trained layers", "两侧都用可训练的层映射"),
        Text("`F.mse_loss(self.reg(fs), ft)`.", "写成 `F.mse_loss(self.reg(fs), ft)`。"),
    ),
    "KE181": (
        Text(
            "A cosine target that pushes apart",
            "把两者推开的余弦目标",
        ),
        Text(
            "cosine_embedding_loss takes +1 for pairs that belong together and −1 for pairs "
            "that do not.",
            "cosine_embedding_loss 中，同类配对的目标为 +1，不同类配对的目标为 −1。",
        ),
    ),
    "KE182": (
        Text(
            "Similarities times the temperature",
            "相似度乘以了温度",
        ),
        Text(
            "InfoNCE: exp(sim / τ). CLIP's `logit_scale` is 1 / τ and multiplies.",
            "InfoNCE：exp(sim / τ)。CLIP 的 `logit_scale` 是 1 / τ，才用乘法。",
        ),
    ),
    "KE183": (
        Text(
            "A temperature that falls to 0",
            "降到 0 的温度",
        ),
        Text(
            "Anneal to 1, T = T0 − (T0 − 1)·epoch / epochs, or clamp it.",
            "退火到 1：T = T0 − (T0 − 1)·epoch / epochs，或者设下限。",
        ),
    ),
    "KE184": (
        Text(
            "Nothing selected",
            "一个都没选中",
        ),
        Text(
            'A mean over no element is NaN. `reduction="sum"` over nothing is 0: divided by '
            "`mask.sum().clamp(min=1)` it stays 0.",
            '对零个元素取平均得到 NaN。`reduction="sum"` 对空选择是 0，再除以 '
            "`mask.sum().clamp(min=1)` 仍为 0。",
        ),
    ),
    "KE185": (
        Text(
            "The two sides exchanged",
            "两侧放反了",
        ),
        Text(
            "kl_div(log q, p) is KL(p ‖ q). Both directions are 0 where both sides agree; the "
            "reverse one lets the student leave out what the teacher finds unlikely.",
            "kl_div(log q, p) 是 KL(p ‖ q)。两个方向都在两侧一致时为 0；反向 KL 会让学生忽略教"
            "师认为概率较小的类别。",
        ),
    ),
    "KE186": (
        Text(
            "A reverse KL that is forward",
            "名为反向、实为前向的 KL",
        ),
        Text(
            "F.kl_div(log_softmax(teacher), softmax(student)) is KL(student ‖ teacher).",
            "F.kl_div(log_softmax(teacher), softmax(student)) 才是 KL(学生 ‖ 教师)。",
        ),
    ),
    "KE188": (
        Text(
            "Labels with one dimension too many",
            "标签多了一维",
        ),
        Text(
            "`y.squeeze(1)` where they come as [B, 1]; `scatter_` and `gather` do want [B, 1].",
            "若标签本来就是 [B, 1]，用 `y.squeeze(1)`；`scatter_`、`gather` 才需要 [B, 1]。",
        ),
    ),
    "KE177": (
        Text(
            "A mask turned round",
            "掩码写反了",
        ),
        Text(
            "Keep `labels != -100`, `ids.ne(pad_id)`; fill with 0 where the attention mask is 0.",
            "应保留 `labels != -100`、`ids.ne(pad_id)` 的位置；把注意力掩码为 0 的位置填 0。",
        ),
    ),
    "KE190": (
        Text(
            "Scores as the target",
            "用原始分数作目标",
        ),
        Text(
            "A cross-entropy is −Σ target·log q: with negative targets it falls without end.",
            "交叉熵是 −Σ target·log q，目标为负时它会一直下降。",
        ),
    ),
    "KE191": (
        Text(
            "Logits given to binary_cross_entropy",
            "把 logits 传给了 binary_cross_entropy",
        ),
        Text(
            "Use the form with logits: it is also more exact.",
            "用带 with_logits 的版本，数值上也更稳定。",
        ),
    ),
    "KE192": (
        Text(
            "Labels and predictions exchanged",
            "标签与预测放反了",
        ),
        Text(
            "labels = softmax(teacher / T), logits = student / T.",
            "labels = softmax(teacher / T)，logits = student / T。",
        ),
    ),
    "KE193": (
        Text(
            "A logarithm taken twice",
            "取了两次对数",
        ),
        Text(
            "keras.losses.KLDivergence(y_true, y_pred) = Σ y_true·log(y_true / y_pred), of "
            "probabilities on both sides.",
            "keras.losses.KLDivergence(y_true, y_pred) = Σ y_true·log(y_true / y_pred)，两侧都"
            "是概率。",
        ),
    ),
    "KE194": (
        Text(
            "A sum over the batch",
            "对整个批求和",
        ),
        Text(
            "Cross-entropy averages over the batch by default; a sum beside it weighs B times "
            "as much.",
            "交叉熵默认对批取平均；旁边求和的项权重是它的 B 倍。",
        ),
    ),
    "KE201": (
        Text("A moving average that is not written back", "没有写回的滑动平均"),
        Text(
            "A name is set anew, the tensor behind it is not changed.",
            "改变的只是名字的指向，它原来指向的张量没有改变。",
        ),
    ),
    "KE202": (
        Text("Clipped while scaled", "在缩放状态下裁剪梯度"),
        Text(
            "`scaler.unscale_(optimizer)`, then clip, then `scaler.step(optimizer)`.",
            "先 `scaler.unscale_(optimizer)`，再裁剪，然后 `scaler.step(optimizer)`。",
        ),
    ),
    "KE203": (
        Text("A schedule of epochs stepped each batch", "按 epoch 计的调度器每批都前进"),
        Text(
            "Step it once per epoch, or give it numbers that count batches.",
            "每个 epoch 前进一次，或者把它的参数换算成批次数。",
        ),
    ),
    "KE200": (
        Text("Evaluated in training mode", "在训练模式下评估"),
        Text(
            "`student.eval()` and torch.no_grad() for the evaluation, `student.train()` behind it.",
            "评估时用 `student.eval()` 和 torch.no_grad()，之后再调用 `student.train()`。",
        ),
    ),
    "KE195": (
        Text(
            "Logits given to KLDivergence",
            "把 logits 传给了 KLDivergence",
        ),
        Text(
            "keras.losses.KLDivergence has no from_logits.",
            "keras.losses.KLDivergence 没有 from_logits 参数。",
        ),
    ),
}
"""Summary and page of each."""
