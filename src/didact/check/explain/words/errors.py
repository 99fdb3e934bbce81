"""What PyTorch's error messages mean, in both languages; ``{where}`` names the lines."""

from __future__ import annotations

import re

from didact._core.i18n import Text

NO_GRAPH = Text(
    "The error says that the tensor on which backward() was called has no graph: nothing that was "
    "computed for it needs a gradient.{where} Compute the student's output and the loss outside of "
    "no_grad(), without detach(), .item() or .data, from parameters that require a gradient; only "
    "the teacher belongs inside no_grad().",
    "这个报错的意思是：调用 backward() 的张量没有计算图，算出它的过程中没有任何量需要梯度。{where}"
    "学生的输出和损失要在 no_grad() 之外计算，不要经过 detach()、.item() 或 .data，且参数的 "
    "requires_grad 为 True；只有教师应放进 no_grad()。",
)
SECOND_BACKWARD = Text(
    "The error says that two backward passes went through the same part of a graph, and that the "
    "first one has freed it.{where} Detach what is only a target (`.detach()` on the other "
    "model's output), or add the losses and call backward() once. retain_graph=True hides the "
    "error, but lets gradients flow where they are not meant to.",
    "这个报错的意思是：两次反向传播经过了同一段计算图，而第一次 backward() 已经把它释放。{where}"
    "只作为目标的量要加 `.detach()`（对方模型的输出），或者把损失相加后只调用一次 backward()。"
    "retain_graph=True 只是掩盖：梯度会流到不该去的地方。",
)
IN_PLACE = Text(
    "The error says that a tensor which the backward pass still needs was changed in place after "
    "the forward pass.{where} Run every backward() before the first optimizer.step() (a step "
    "changes the parameters in place), and write `x = x + y` instead of `x += y` or methods that "
    "end in `_`.",
    "这个报错的意思是：反向传播还要用到的张量，在前向之后被原地修改了。{where}所有 "
    "backward() 都应在"
    "第一个 optimizer.step() 之前完成（step 会原地修改参数）；另外把 `x += y` 和以 `_` 结尾的方法"
    "改成 `x = x + y` 这样的写法。",
)
SHAPES = Text(
    "The error says that two tensors of different size meet: {message}. Print the shapes of both "
    "sides just before the line that fails. In distillation these are mostly heads with different "
    "numbers of classes (slice the larger logits to the common classes before the softmax) or "
    "features of different width (put a projection on the student's).",
    "这个报错的意思是：参与运算的两个张量大小不一致：{message}。"
    "在出错的那一行之前打印两边的 shape。"
    "蒸馏里常见的原因是分类头的类别数不同（在 softmax 之前把较大的 logits 切到共有的类别），或者"
    "特征宽度不同（给学生的特征加一个投影层）。",
)
FLATTEN = Text(
    "The error says that a layer or a view got a size that does not fit: {message}. Print the "
    "shape just before the line that fails; the size that the layer was built with must be that of "
    "the last dimension of its input.",
    "这个报错的意思是：某一层或某个 view 得到的大小对不上：{message}。"
    "在出错的那一行之前打印 shape；"
    "层定义时的输入宽度必须等于输入最后一维的大小。",
)
KEYWORD = Text(
    "The error says that a function was called with the argument `{name}`, and does not have one."
    "{where} Add `{name}=None` (or `**kwargs`) to its parameters, or do not pass it.",
    "这个报错的意思是：调用时传了参数 `{name}`，而被调用的函数没有这个参数。"
    "{where}在它的参数表里加上 "
    "`{name}=None`（或 `**kwargs`），或者调用时不要传。",
)
KEYWORD_OF_LIBRARY = Text(
    "The error says that a function was called with the argument `{name}`, and does not have one: "
    "leave it out of the call.",
    "这个报错的意思是：调用时传了参数 `{name}`，而被调用的函数没有这个参数：调用时去掉它。",
)
BEFORE_LOOP = Text(
    " In this code `{name}` is computed once before the loop, with its graph (line {line}); the "
    "first backward() frees that graph, and the second needs it again. Compute it under "
    "torch.no_grad().",
    "这段代码里，`{name}` 在循环之前只算了一次，而且带着计算图（第 {line} 行）；第一次 backward() "
    "释放了这个图，第二次又要用到它。把它放进 torch.no_grad() 里算。",
)
NUM_ITEMS = Text(
    "Newer versions of transformers (since 4.46) pass `num_items_in_batch` to compute_loss.{where} "
    "Write `def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):` "
    "and the code runs again.",
    "新版 transformers（4.46 起）会给 compute_loss 多传一个 `num_items_in_batch`。"
    "{where}把签名改成 "
    "`def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):"
    "` 即可。",
)
MEMORY = Text(
    "The GPU's memory is full. If it grows from step to step, something keeps the graphs of past "
    "steps alive.{where} Accumulate `loss.item()`, never the loss itself; run the teacher under "
    "torch.no_grad(). If it fails at the first step, the batch is too large.",
    "显存不够。如果占用一步步变大，说明有东西一直引用着以前各步的计算图。{where}累加时应写 "
    "`loss.item()`，不要累加 loss 本身；教师的前向放在 torch.no_grad() 里。"
    "如果第一步就报错，那就是 "
    "batch 太大。",
)
SCALAR = Text(
    "The error says that backward() was called on a tensor with more than one entry: a loss with "
    "reduction='none' must be averaged (or masked and averaged) first.",
    "这个报错的意思是：对不止一个元素的张量调用了 backward()。reduction='none' "
    "的损失要先取平均（或乘"
    "掩码后再平均）。",
)
LABELS = Text(
    "The error says that a label is not among the classes of the output. The labels must lie "
    "between 0 and C − 1: shift those of a sliced head (labels − start), and give padding as "
    "ignore_index.",
    "这个报错的意思是：标签超出了输出的类别范围。标签必须在 0 到 C − 1 "
    "之间：对切片后的分类头要先减去"
    "起始类别，填充值要用 ignore_index 指明。",
)
DEVICE = Text(
    "The error says that tensors lie on different devices: move the model, the teacher and the "
    "batch to the same one with `.to(device)`.",
    "这个报错的意思是：张量不在同一个设备上。用 `.to(device)` 把学生、教师和数据都移到同一设备。",
)
LABEL_TYPE = Text(
    "The error is about the type of the target: class indices must be int64 (`labels.long()`), "
    "class probabilities must be floating point and of the shape of the input.",
    "这个报错与目标的类型有关：类别下标必须是 int64（`labels.long()`）；"
    "类别概率必须是浮点数，且形状与"
    "输入相同。",
)
CONSTRUCTOR = Text(
    "The error says that a tensor with many entries was used as true or false. Mostly the tensors "
    'were passed to the constructor of a loss: write `nn.KLDivLoss(reduction="batchmean")(a, b)`'
    ", not `nn.KLDivLoss(a, b)`.",
    "这个报错的意思是：把有多个元素的张量当成了真假值。多半是把张量传给了损失类的构造函数：应写 "
    '`nn.KLDivLoss(reduction="batchmean")(a, b)`，而不是 `nn.KLDivLoss(a, b)`。',
)
OUTPUT_OBJECT = Text(
    "The error says that a model's whole output object was used as a tensor; take its logits: "
    "`model(**inputs).logits`.",
    "这个报错的意思是：把模型的整个输出对象当成张量用了，应取其中的 "
    "logits：`model(**inputs).logits`。",
)
UNDEFINED = Text(
    "The error says that the name `{name}` is not defined where it is used: define it, import it, "
    "or make it a parameter.",
    "这个报错的意思是：用到名字 `{name}` 的地方没有定义它。应先定义、导入，或者把它作为参数传入。",
)
DIMENSION = Text(
    "The error says that a dimension was asked for that the tensor does not have: dim=1 needs at "
    "least [B, C]. Mostly the output of a single sample lost its batch dimension (`squeeze()`, "
    "`view(-1)`, `x[0]`): keep it, `logits.unsqueeze(0)`, or use dim=-1.",
    "这个报错的意思是：要求的维不存在。dim=1 至少需要 [B, C] 的张量。多半是单个样本的输出丢了批维"
    "（`squeeze()`、`view(-1)`、`x[0]`）：保留批维，例如 `logits.unsqueeze(0)`，或者改用 dim=-1。",
)
NOTHING = Text(
    "The error says that a name holds None where an object is needed: mostly a teacher or old "
    "model that is not set yet (there is none in the first task), or a function without a "
    "`return`. Test `if teacher is not None:` first, or return the value.",
    "这个报错的意思是：需要对象的地方是 None。多半是教师或旧模型还没有设置"
    "（第一个任务没有旧模型），或者函数漏写了 `return`。"
    "先判断 `if teacher is not None:`，或者补上返回值。",
)
NO_RETURN = Text(
    "`{name}` (line {line}) has no `return`, so it gives back None, and the error stops the "
    "training there. Return the loss.",
    "`{name}`（第 {line} 行）没有 `return`，返回的是 None，训练因此报错停止。应返回损失。",
)
TUPLE = Text(
    "The error says that a tuple was used as a tensor: the model returns several things, e.g. "
    "features and logits. Unpack them, `features, logits = model(x)`, or take one, `model(x)[0]`.",
    "这个报错的意思是：把元组当成张量用了。模型返回多个值（例如特征和 logits），应拆开："
    "`features, logits = model(x)`，或取其一：`model(x)[0]`。",
)
MISSING = Text(
    "The error says that a call leaves an argument out ({message}).{where} Pass it, or give the "
    "parameter a default.",
    "这个报错的意思是：调用时少传了参数（{message}）。{where}应补上该参数，或给形参设默认值。",
)
TOO_MANY = Text(
    "The error says that a call passes more arguments than the function takes ({message}); of a "
    "method, `self` counts as one.",
    "这个报错的意思是：传入的参数比函数接受的多（{message}）；方法的 `self` 也算一个。",
)
EMPTY_OPTIMIZER = Text(
    "The error says that the optimizer was given no parameters: layers must be attributes of the "
    "module (`self.layer = ...`, lists as nn.ModuleList), and `parameters()` can be read only once "
    "if it was kept as a generator.",
    "这个报错的意思是：优化器没有得到任何参数。层必须赋给模块属性（`self.layer = ...`，列表用 "
    "nn.ModuleList）；`parameters()` 是生成器，存下来只能用一次。",
)
STATE = Text(
    "The error says that the names or shapes of the saved weights differ from those of the model: "
    "`module.` in front comes from DataParallel (strip it); a head of another size must be left "
    "out (load with strict=False after deleting its keys).",
    "这个报错的意思是：保存的权重与模型的名字或形状不一致。"
    "开头的 `module.` 来自 DataParallel，应去掉；分类头大小不同时，删掉对应的键，"
    "再用 strict=False 加载。",
)
NO_TF_GRADIENT = Text(
    "The error says that the loss does not depend on these variables inside the tape: compute the "
    "student's forward pass and the loss inside `with tf.GradientTape()`, and take the gradient "
    "with respect to the student's trainable variables.",
    "这个报错的意思是：在 tape 内，损失与这些变量无关。学生的前向和损失都要写在 "
    "`with tf.GradientTape()` 内，并对学生的 trainable_variables 求梯度。",
)
COLUMN = Text(
    "The error says that cross_entropy was given labels with a second dimension, [B, 1] say; class "
    "numbers must have the shape [B].{where} Leave out the unsqueeze, or write labels.squeeze(1).",
    "这个报错的意思是：传给 cross_entropy 的标签多了一维，例如 [B, 1]；类别编号的形状应当是 [B]。"
    "{where}去掉 unsqueeze，或者写 labels.squeeze(1)。",
)
ZERO_DIM = Text(
    "The error says that a single number was indexed: `loss.data[0]` is PyTorch before 0.4. Write "
    "`loss.item()`.",
    "这个报错的意思是：对单个数取了下标。`loss.data[0]` 是 PyTorch 0.4 之前的写法，现在应写 "
    "`loss.item()`。",
)
SYNTAX = Text(
    "The error says that this is no code of Python 3: `print x` without parentheses, `async=True`, "
    '`raise E, "m"` and `print >>f` are Python 2. The listing below has them mended where they '
    "were found.",
    "这个报错的意思是：代码不符合 Python 3 的语法。不带括号的 `print "
    'x`、`async=True`、`raise E, "m"`、'
    "`print >>f` 都是 Python 2 的写法；下面的代码里，查到的地方已经改好。",
)
UNKNOWN = Text(
    "There is no ready explanation of the error `{message}`.",
    "报错 `{message}` 暂时没有现成的解释。",
)

ERRORS: tuple[tuple[re.Pattern[str], str, Text], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), cause, text)
    for pattern, cause, text in (
        (r"does not require grad", "cut", NO_GRAPH),
        (r"backward through the graph a second time", "twice", SECOND_BACKWARD),
        (r"modified by an inplace operation", "in_place", IN_PLACE),
        (r"unexpected keyword argument ['\"‘“`]?num_items_in_batch", "def", NUM_ITEMS),
        (r"unexpected keyword argument ['\"‘“`]?(?P<name>\w+)", "def", KEYWORD),
        (r"multi-target not supported", "column", COLUMN),
        (r"out of memory|OutOfMemory|\bOOM\b", "kept", MEMORY),
        (r"mat1 and mat2|shape '\[[^\]]*\]' is invalid|size mismatch for", "", FLATTEN),
        (r"0-dim tensor|Use .?tensor\.item", "", ZERO_DIM),
        (r"invalid syntax|missing parentheses in call", "", SYNTAX),
        (r"must be the same as input size|expanded size of the tensor|size of tensor a"
        r"|must match the size|shape mismatch"
        r"|to match target batch_size"
         r"|using a target size|sizes of tensors must match", "", SHAPES),
        (r"grad can be implicitly created only for scalar", "", SCALAR),
        (r"target \d+ is out of bounds|device-side assert|t >= 0 && t < n_classes", "", LABELS),
        (r"expected all tensors to be on the same device", "", DEVICE),
        (r"expected scalar type long|not implemented for '(?:Float|Int|Long)'"
         r"|expected floating point type for target", "", LABEL_TYPE),
        (r"boolean value of tensor with more than one value", "", CONSTRUCTOR),
        (r"'\w*Output\w*' object has no attribute|must be tensor, not \w*output", "",
         OUTPUT_OBJECT),
        (r"dimension out of range", "", DIMENSION),
        (r"'NoneType' object", "", NOTHING),
        (r"'tuple' object has no attribute|must be tensor, not tuple", "", TUPLE),
        (r"missing \d+ required positional", "def", MISSING),
        (r"takes (from )?\d+ .*positional arguments? but", "", TOO_MANY),
        (r"empty parameter list", "", EMPTY_OPTIMIZER),
        (r"loading state_dict", "", STATE),
        (r"no gradients provided for any variable", "", NO_TF_GRADIENT),
        (r"name ['‘“](?P<name>\w+)['’”] is not defined", "", UNDEFINED),
    )
)  # fmt: skip
"""Pattern of the message, which lines of the code it is about, the meaning."""

WHERE: dict[str, Text] = {
    "cut": Text(
        " In this code the graph ends or is not recorded at {lines}.",
        "这段代码里，计算图在{lines}被切断或没有记录。",
    ),
    "twice": Text(
        " In this code backward() is called at {lines}.", "这段代码里，backward() 出现在{lines}。"
    ),
    "in_place": Text(
        " In this code such changes stand at {lines}.", "这段代码里，这样的修改在{lines}。"
    ),
    "def": Text(" The function is defined at {lines}.", "该函数定义在{lines}。"),
    "column": Text(
        " In this code a dimension is added at {lines}.", "这段代码里，{lines}给张量加了一维。"
    ),
    "kept": Text(
        " In this code a tensor with its graph is kept at {lines}.",
        "这段代码里，{lines}一直保留着带计算图的张量。",
    ),
}
LINE = Text("line {line} (`{code}`)", "第 {line} 行（`{code}`）")
