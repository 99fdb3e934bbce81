"""What runs on sentences say: sentence encoders as teachers, small ones as students."""

TEXTS = {
    # Progress and notes
    "{}: {} -> {}, {}, {}, {} x {} steps": "{}：{} -> {}，{!t}，{}，{!t} x {} 步",
    "up to {} labels of each class": "每类至多 {} 个标签",
    "{} has read {} of {} sentences": "{0} 已读 {2} 句中的 {1} 句",
    "[{}%] {} has read {} of {} sentences": "[{0}%] {1} 已读 {3} 句中的 {2} 句",
    "repeated sentences: {} of {}; each counts once": "{1} 句中有 {0} 句重复；每句只计一次",
    "repeated with another label: {}; one label is taken": (
        "其中 {} 句带有不同的标签；只取其中一个"
    ),
    "classes without a sentence in the test: {} of {}": "{1} 个类别中有 {0} 个在测试集中没有句子",
    "sentences of {} tokens or more, cut there: {}": ("{1} 句不少于 {0} 个词元，超出部分被截去"),
    "sentences of over {} characters, not read beyond them: {}": (
        "{1} 句超过 {0} 个字符；其余部分不读"
    ),
    "{} is not UTF-8; it is read as GB18030": "{} 不是 UTF-8；按 GB18030 读取",
    # The sentences
    "the data are {}; expected pydoc or text:PATH of sentences": (
        "数据为 {}；应为 pydoc 或句子文件 text:路径"
    ),
    "there is no sentence in {}; expected one on each line": "{} 中没有句子；应每行一句",
    "{} ends in {}; expected {}": "{} 的扩展名为 {}；应为 {}",
    "{} has {} and {}; expected one": "{} 中有 {} 和 {}；应只有一个",
    "{} has not both train and test; expected files such as train.csv and test.csv, or the path of a "
    "single file": (
        "{} 中没有同时包含 train 与 test；应有 train.csv 和 test.csv 之类的文件，或给出单个文件的路径"
    ),
    "{} cannot be read: {}": "无法读取 {}：{!t}",
    "{} is neither UTF-8 nor Chinese in GB18030; expected text in one of them": (
        "{} 既不是 UTF-8，也不是 GB18030 编码的中文；应为其中之一"
    ),
    "line {} of {} has the label {}; expected a word or a number": (
        "{1} 第 {0} 行的标签为 {2}；应为词或数"
    ),
    "the first line of {} is {}; expected the names of the columns, one of them {}, and for the labels "
    "{}": "{} 的首行为 {}；应为列名，其中之一为 {}，标签列为 {}",
    "{} is no table that can be read: {}": "无法将 {} 读作表格：{}",
    "line {} of {} is no JSON ({}); expected {} on each line": (
        "{1} 第 {0} 行不是 JSON（{2}）；每行应为 {3}"
    ),
    "different sentences in {}: {}; expected {} or more, and a few hundred for a student that is of "
    "use": "{} 中有 {} 个不同的句子；应不少于 {} 句，要得到有用的学生则需几百句",
    "{} leaves no sentence for the part {}; expected {} or more sentences with a label in at least one "
    "class": "{} 没有句子可留给 {} 部分；至少应有一个类别含 {} 个或更多带标签的句子",
    "all sentences with a label have the label {}; expected two classes or more, or no labels": (
        "所有带标签的句子标签都是 {}；应有两个或更多类别，或都没有标签"
    ),
    # Teachers
    "there is no folder {}; expected one with a model of transformers": (
        "没有文件夹 {}；应为装有 transformers 模型的文件夹"
    ),
    "{} is no list of modules of sentence-transformers": "{} 不是 sentence-transformers 的模块列表",
    "{} does not begin with a Transformer; {}": "{} 的首个模块不是 Transformer；{!t}",
    "{} has a {}, which is not known; {}": "{} 含有无法识别的 {}；{!t}",
    "expected Pooling, Dense and Normalize behind it. Write a function of your own that takes a list of "
    "sentences, and name it file.py:Name, with SentenceTransformer({})": (
        "其后应为 Pooling、Dense、Normalize。请用 SentenceTransformer({}) 自写一个接收句子列表的函数，"
        "并以 file.py:名称 给出"
    ),
    "{} pools by {}; expected one of {}": "{} 的池化方式为 {}；应为 {} 之一",
    "{} has no model.safetensors; save the model again with one": (
        "{} 没有 model.safetensors；请重新保存模型以生成该文件"
    ),
    "{} has the activation {}; expected {}": "{} 的激活函数为 {}；应为 {}",
    "{} holds {} of {}; expected floating-point numbers (sentences, dimension)": (
        "{0} 中为 {2} 类型的 {1}；应为浮点数 (sentences, dimension)"
    ),
    "{} is no function; expected one from a list of sentences to vectors": (
        "{} 不是函数；应为从句子列表到向量的函数"
    ),
    "{} has {} vectors and {} {} sentences; expected one for each, in the same order": (
        "{0} 有 {1} 个向量，{2} 有 {3} 句；应按相同顺序一句一个"
    ),
    "{} gave vectors with NaN or infinite numbers": "{} 给出的向量含 NaN 或无穷",
    "{} cannot be read as an array of NumPy: {}": "无法将 {} 读作 NumPy 数组：{!t}",
    "{} gave {} for {} sentences; expected ({}, dimension)": (
        "对 {2} 个句子，{0} 给出 {1}；应为 ({3}, dimension)"
    ),
    # Students
    "no encoder is called {}; expected {}, as static-64": "没有名为 {} 的编码器；应为 {!t}，如 static-64",
    "static-WIDTH or attention-WIDTHxLAYERS": "static-宽度 或 attention-宽度 x 层数",
    "{} has sizes {}; expected 1 or more of each": "{} 的尺寸为 {}；每项应不小于 1",
    "{} has heads of {}; expected a width that {} divides": "{} 的注意力头宽 {}；宽度应为 {} 的倍数",
    "{} is no function; expected one of (classes, window, dimension)": (
        "{} 不是函数；应为 (classes, window, dimension) 的函数"
    ),
    "token ids are {}; expected (batch, tokens)": "词元编号为 {}；应为 (batch, tokens)",
    "token ids are {}; expected at most {} tokens": "词元编号为 {}；最多应有 {} 个词元",
    "{} gave {} for token ids (2, {}); expected vectors (2, dimension)": (
        "对词元编号 (2, {2})，{0} 给出 {1}；应为向量 (2, dimension)"
    ),
    "{} gives vectors of {}; expected {}, as the teacher's are": (
        "{} 给出 {} 维向量；应为 {} 维，与教师相同"
    ),
    "none of {} can be computed without labels; add {}": "没有标签时 {} 都无法计算；请加上 {}",
    "{} has weights of its own; expected a loss that has none": "{} 自带权重；应为不带权重的损失",
    "{} asks for {}, which sentences do not have": "{} 需要 {}，而句子没有",
    "the loss {} has no number behind =; expected {}=2": "损失 {} 的 = 后面不是数；应形如 {}=2",
    "is {}; expected one encoder": "为 {}；应为一个编码器",
    "{} is not of sentences; leave it out": "{} 不用于句子；请去掉",
    "--{} is not of sentences; leave it out": "--{} 不用于句子；请去掉",
    "--{} is of sentences; add --recipe encoder": "--{} 用于句子；请加上 --recipe encoder",
    "are {}; expected alone or distilled among them": "为 {}；其中应有 alone 或 distilled",
    "the ONNX model's outputs differ from PyTorch's by up to {} on {} test sentences (allowed {}); {} "
    "was not written": (
        "在 {1} 个测试句子上，ONNX 模型的输出与 PyTorch 最多相差 {0}（允许 {2}）；未写入 {3}"
    ),
    "this student learnt from no labels; it has vectors alone: encode": (
        "这个学生没有用标签训练，只有向量：请用 encode"
    ),
    "got the sentence {}; expected a list of sentences": "得到句子 {}；应为句子列表",
    "{} is no run on sentences; expected one of didact distill --recipe encoder": (
        "{} 不是句子上的运行；应为 didact distill --recipe encoder 的运行"
    ),
    # Report
    "Nearest sentences shared, %": "共同的最近句子，%",
    "{} of the distilled student minus the student alone, in points: {}.": (
        "{!t}，蒸馏的学生减去单独训练的学生，百分点：{!t}。"
    ),
    "Nearest sentences shared": "共同的最近句子",
    "nearest sentences shared": "共同的最近句子",
    "Nearest shared, %": "共同最近句，%",
    "Validation, nearest sentences shared, %": "验证集，共同的最近句子，%",
    "{}, {} training sentences ({} with labels), {} validation, {} test, {} classes": (
        "{}，{} 个训练句子（{} 个有标签），{} 个验证句子，{} 个测试句子，{} 个类别"
    ),
    "{}, {} training sentences, {} validation, {} test": (
        "{}，{} 个训练句子，{} 个验证句子，{} 个测试句子"
    ),
    "sentences": "句",
    "For each seed both students start from the same weights and take the same number of steps. The "
    "student alone sees the labelled sentences only; distilled, it sees them all. One teacher is shared "
    "by all seeds: the interval is of the labels that are drawn and of the students.": (
        "对每个种子，两个学生从相同的权重出发，走相同的步数。单独训练时只看有标签的句子；蒸馏时看全部句子。"
        "各种子共用一个教师：区间反映抽到的标签和学生的波动。"
    ),
    "For each seed both students start from the same weights and take the same number of steps. Without "
    "labels, the student alone learns to find a sentence again from which words were taken. One teacher "
    "is shared by all seeds: the interval is of the students.": (
        "对每个种子，两个学生从相同的权重出发，走相同的步数。没有标签时，单独训练的学生学习辨认去掉了若干词的同一句话。"
        "各种子共用一个教师：区间只反映学生的波动。"
    ),
    "{} is a run of didact distill --recipe {}, not on images": (
        "{} 是 didact distill --recipe {} 的运行，不用于图像"
    ),
    "{} is a folder; expected a file with a sentence on each line": (
        "{} 是文件夹；应为每行一句的文件"
    ),
    # Help
    "Image files, and folders of them; of a run on sentences, files with one a line.": (
        "图像文件及其所在文件夹；对句子上的运行，则为每行一句的文件。"
    ),
    "text for language models or encoder for sentence encoders, on pydoc or --data text:PATH; or a data "
    "set that has a recipe of its own.": (
        "text 用于语言模型，encoder 用于句子编码器，数据为 pydoc 或 --data text:路径；也可为自带配方的数据集。"
    ),
    "Of text: tokens seen at once (128). Of encoder: of a sentence (64).": (
        "用于 text：一次看到的词元数（128）。用于 encoder：一句的词元数（64）。"
    ),
    "Tokens of the tokenizer that is learnt (of text 512, of encoder 4096).": (
        "所学分词器的词元数（text 为 512，encoder 为 4096）。"
    ),
    "Of encoder: labels of each class that are used (10), 0 for all.": (
        "用于 encoder：每类使用的标签数（10），0 为全部。"
    ),
    "Of text and encoder: of a student (300), a multiple of --epochs (10; 5).": (
        "用于 text 与 encoder：学生的步数（300），须为 --epochs（10；5）的倍数。"
    ),
    "Of text and encoder: of a teacher trained here (800; 300), likewise a multiple.": (
        "用于 text 与 encoder：在此训练的教师的步数（800；300），同样须为倍数。"
    ),
}
