"""Help pages, and what typer says of a command line."""

TEXTS = {
    # The program
    "Pass knowledge from a teacher to a student, and prove that it did.": (
        "把教师的知识传给学生，并证明确实传到了。"
    ),
    "Print the version and stop.": "显示版本号后退出。",
    "en or zh; that of the locale by default.": "en 或 zh；默认取自系统区域设置。",
    "en or zh; default from the locale.": "en 或 zh；默认取自系统区域设置。",
    "Show this message and exit.": "显示本页后退出。",
    "For example: {}": "例如：{}",
    "Repeatable.": "可重复。",
    "Repeatable: layers go in pairs with those of the teacher, in order.": (
        "可重复：按顺序与教师的层一一配对。"
    ),
    "layers go in pairs with those of the teacher, in order.": "按顺序与教师的层一一配对。",
    "By default kd, for multi-label binary_kd, for regression mse_logits.": (
        "默认 kd；multi-label 默认 binary_kd，regression 默认 mse_logits。"
    ),
    "one class each (single-label), several labels (multi-label), numbers (regression), "
    "probabilities (soft-label)": (
        "每个样本一个类别（single-label）、多个标签（multi-label）、数值（regression）、概率（soft-label）"
    ),
    "of images, or of the rows of a table.": "样本可以是图像，也可以是表格的行。",
    # Groups of options
    "Options": "选项",
    "Others": "其他",
    "Data": "数据",
    "Student and teachers": "学生与教师",
    "Loss": "损失",
    "Training": "训练",
    "Many runs": "批量运行",
    "Machine": "机器",
    "Record": "记录",
    "Tasks": "任务",
    "Methods": "方法",
    # Data
    "digits by default; {}, or file.py:factory; see `didact list data`.": (
        "默认 digits；可选 {}，或 file.py:factory；见 `didact list data`。"
    ),
    "Where the files of known sets lie or are downloaded to.": (
        "已知数据集的文件所在（或下载到）的文件夹。"
    ),
    "Fraction of the training labels that may be used, 0..1.": "可用的训练标签比例，0..1。",
    "Fraction of training labels replaced by a wrong one.": "换成错误标签的训练标签比例。",
    "Fraction of the training split held out to choose on.": (
        "从训练集中留出多少作验证集，供选择超参数。"
    ),
    "Fraction of the training split held out (default: 0).": (
        "从训练集中留出多少作验证集（默认 0）。"
    ),
    "Side, or HEIGHTxWIDTH: images are scaled to cover it and cut at the centre.": (
        "边长，或 HEIGHTxWIDTH：图像先缩放到盖住这一尺寸，再居中裁剪。"
    ),
    "none, flip, crop, crop-flip, crop-flip-brightness: how images are varied; crop2 moves by up "
    "to 2 pixels.": (
        "none、flip、crop、crop-flip、crop-flip-brightness：数据增强方式；crop2 最多平移 2 个像素。"
    ),
    # Models
    "A model name (`didact list models`), file.py:Name, or NAME=FILE.pth for one that starts from "
    "weights.": (
        "模型名（`didact list models`）、file.py:Name，或 NAME=FILE.pth（从已有权重开始）。"
    ),
    "A model name (`didact list models`) or file.py:Name.": (
        "模型名（`didact list models`）或 file.py:Name。"
    ),
    "A model name (trained here), a run folder, NAME=FILE.pth (or .pt, .ckpt, .safetensors), a "
    "TorchScript or ONNX file, npz:FILE with its logits, or file.py:Name. Repeat for several.": (
        "模型名（在此训练）、运行文件夹、NAME=FILE.pth（或 .pt、.ckpt、.safetensors）、TorchScript 或 "
        "ONNX 文件、存有 logits 的 npz:FILE，或 file.py:Name。多个教师就重复此选项。"
    ),
    "One for each --teacher, in order; made to sum to 1.": (
        "每个 --teacher 一个权重，顺序一致；会归一化为和等于 1。"
    ),
    "What a teacher from elsewhere was trained to see: none, imagenet, data, or MEAN/STD such as "
    "0.5/0.5. By default what its file says, or the best on validation.": (
        "外来教师训练时的输入归一化：none、imagenet、data，或 均值/标准差（如 0.5/0.5）。默认取其文件"
        "所记，否则取验证集上最好的一种。"
    ),
    "Side, or HEIGHTxWIDTH, to which images are resized for a teacher.": (
        "送入教师之前图像缩放到的边长，或 HEIGHTxWIDTH。"
    ),
    "Go on with a teacher that is worse than it should.": "教师明显偏差时仍然继续。",
    "Several teachers: average their probs into one target, or the losses.": (
        "多个教师时：probs 把概率平均成一个目标，losses 平均各自的损失。"
    ),
    # Losses
    "NAME or NAME=WEIGHT (`didact list losses`), or file.py:my_loss. Repeatable.": (
        "损失函数名或 NAME=WEIGHT（`didact list losses`），或 file.py:my_loss。可重复。"
    ),
    "LOSS.OPTION=VALUE, such as dkd.beta=8. Repeatable.": (
        "损失函数的选项 LOSS.OPTION=VALUE，如 dkd.beta=8。可重复。"
    ),
    "T, or FROM:TO to change it over the run.": "温度 T；或 FROM:TO，训练中逐渐变化。",
    "w in (1-w)*CE + w*KD, 0..1, or FROM:TO to change it over the run.": (
        "(1-w)*CE + w*KD 中的 w，0..1；或 FROM:TO，训练中逐渐变化。"
    ),
    "Epochs over which w grows from 0.": "w 从 0 升到设定值所用的轮数。",
    "Module path of the student's features, for feature losses.": (
        "学生特征所在的模块路径，供特征损失使用。"
    ),
    "Module path of the teacher's features.": "教师特征所在的模块路径。",
    # Training
    "sgd or adamw.": "sgd 或 adamw。",
    "Of sgd.": "sgd 的动量。",
    "cosine, step or constant.": "学习率策略：cosine、step 或 constant。",
    "Fractions of the run, for step: 0.6,0.8": "用于 step：在训练进度的这些比例处下降，如 0.6,0.8",
    "Fractions of a stage, for step: 0.47,0.71": (
        "用于 step：在每段训练进度的这些比例处下降，如 0.47,0.71"
    ),
    "Of step: the rate is multiplied by it at each milestone.": (
        "用于 step：每到一个里程碑，学习率乘以它。"
    ),
    "Of the students.": "学生的训练轮数。",
    "Of the teachers.": "教师的训练轮数。",
    "Samples per optimiser step, on all devices together.": "每个优化步的样本数，所有设备合计。",
    "Parts in which a step's samples are computed.": "一步的样本分几份计算（梯度累积）。",
    "Largest gradient norm.": "梯度范数的上限。",
    "The epoch that counts: last, or best on validation.": (
        "以哪一轮为准：last 为最后一轮，validation 为验证集上最好的一轮。"
    ),
    "How many seeds (5), or which ones (0,3,7).": "种子的个数（5），或指定种子（0,3,7）。",
    "How many seeds (1), or which ones: 0,3,7 (one alone: 7,).": (
        "种子的个数（1），或指定种子：0,3,7（只要一个写 7,）。"
    ),
    "What to train: teacher,alone,distilled (default: all).": (
        "训练哪几方：teacher,alone,distilled（默认全部）。"
    ),
    "auto, cpu, cuda or mps.": "auto、cpu、cuda 或 mps。",
    "Processes, each with a device.": "进程数，每个进程用一个设备。",
    "32-true, bf16-mixed or 16-mixed.": "数值精度：32-true、bf16-mixed 或 16-mixed。",
    "CPU threads of torch.": "torch 使用的 CPU 线程数。",
    "torch.compile the student.": "用 torch.compile 编译学生。",
    "Export the student (default: yes).": "导出学生为 ONNX（默认导出）。",
    "Processes that read images which do not fit in memory.": "内存放不下时，读取图像的进程数。",
    "Seconds between checkpoints; 0 for every step.": "两个检查点之间的秒数；0 表示每步都存。",
    "Faster convolutions in bf16.": "用 channels_last 内存格式，bf16 卷积更快。",
    # Run folders
    "Start from a run.toml; other options change it.": "以某个 run.toml 为起点；其他选项在其上修改。",
    "The run folder to make.": "要建立的运行文件夹。",
    "Replace the run folder if it exists.": "运行文件夹已存在时替换它。",
    "Of --resume and --config: import the code that they name, made by others.": (
        "用于 --resume 与 --config：允许导入其中点名的、别人写的代码。"
    ),
    "Go on with this run folder; no other options.": "接着跑这个运行文件夹；不与其他选项同用。",
    "Go on with this run folder; --method, --option, --seeds, --jobs, --devices and --threads may "
    "change, and finished cells are not run again.": (
        "接着跑这个运行文件夹；--method、--option、--seeds、--jobs、--devices、--threads 可以改变，"
        "已完成的部分不会重跑。"
    ),
    # distill
    "Distil teacher(s) into a student and show whether the teacher helped.": (
        "把一个或多个教师蒸馏成一个学生，并说明教师是否有帮助。"
    ),
    "With no options: digits, few labels, 5 seeds, under a minute; the evidence is printed and "
    "written to runs/. All results are of the test split, which nothing is chosen on.": (
        "不带选项时：digits 数据集、少量标签、5 个种子，不到一分钟；证据打印出来并写入 runs/。"
        "所有结果都来自测试集，没有在测试集上做过任何选择。"
    ),
    # learn
    "Learn classes task by task with several methods, and compare what they keep.": (
        "用多种方法逐个任务地学新类别，并比较各自记住了多少。"
    ),
    "With no options: digits, 2 classes at a time, finetune, lwf, icarl and joint, under a minute; "
    "the comparison is printed and written to runs/.": (
        "不带选项时：digits 数据集，每次 2 类，方法为 finetune、lwf、icarl、joint，不到一分钟；"
        "比较结果打印出来并写入 runs/。"
    ),
    "test, or validation to choose settings on.": "在 test 上评估；选择超参数时用 validation。",
    "class (default), task (the task is told at test time) or domain.": (
        "class（默认）、task（测试时告知任务）或 domain。"
    ),
    "Classes of the first task.": "第一个任务的类别数。",
    "Classes of each later task.": "之后每个任务的类别数。",
    "The number of tasks, instead of base and step.": "任务总数，代替 base 与 step。",
    "The classes of each task instead: cat,dog/owl.": "直接写出每个任务的类别：cat,dog/owl。",
    "natural, seed, a seed (1993 as the literature), or 3,1,2,0.": (
        "类别顺序：natural、seed、某个种子（文献常用 1993），或 3,1,2,0。"
    ),
    "Of scenario domain: permuted, rotated or groups.": "用于 domain：permuted、rotated 或 groups。",
    "The last class keeps this fraction of its images.": "长尾：最后一类只保留这一比例的图像。",
    "This fraction of each class comes in other tasks.": "每类有这一比例的图像出现在其他任务中。",
    "Each image is seen once: one pass over each task.": "在线学习：每张图像只看一次。",
    "Names with commas between (`didact list methods`), or file.py:Name.": (
        "方法名，用逗号隔开（`didact list methods`），或 file.py:Name。"
    ),
    "METHOD.OPTION=VALUE, such as lwf.classes=seen. Repeatable.": (
        "方法的选项 METHOD.OPTION=VALUE，如 lwf.classes=seen。可重复。"
    ),
    "Exemplars in total.": "样例总数。",
    "Exemplars of each class, instead of a total.": "每类的样例数，代替总数。",
    "herding, random, reservoir or balanced, instead of the method's own.": (
        "样例的挑选方式：herding、random、reservoir 或 balanced；默认由方法决定。"
    ),
    "Of each task.": "每个任务的训练轮数。",
    "Of the first task.": "第一个任务的训练轮数。",
    "Cells of the grid methods x seeds that run at a time.": "同时运行多少个（方法 × 种子）单元。",
    # report, compare, runs, list
    "Render report.html of a run again and print its path.": (
        "重新生成某次运行的 report.html，并打印其路径。"
    ),
    "The folder that didact distill or didact learn wrote.": (
        "didact distill 或 didact learn 写下的运行文件夹。"
    ),
    "Compare each file with its digest instead; 2 if one is damaged.": (
        "改为逐个文件核对摘要；有损坏时退出码为 2。"
    ),
    "Put runs side by side and test each of them against the first.": (
        "把多次运行并排比较，逐一与第一个做检验。"
    ),
    "Runs with the same seeds are compared by a paired t-test, others by Welch's t-test.": (
        "种子相同的运行用配对 t 检验，其余用 Welch t 检验。"
    ),
    "Run folders, two or more; the first is the baseline.": (
        "两个或更多运行文件夹；第一个是基线。"
    ),
    "test_accuracy, nll, ece, brier, agreement_top1, agreement_kl or train_seconds.": (
        "test_accuracy、nll、ece、brier、agreement_top1、agreement_kl 或 train_seconds。"
    ),
    "teacher, alone or distilled.": "teacher、alone 或 distilled。",
    "How to print it.": "输出格式。",
    "Collect runs of distill and learn: print them, or write them where they can be queried.": (
        "汇总 distill 与 learn 的运行：打印出来，或写到便于查询的地方。"
    ),
    "For example: didact runs runs/ --to sqlite:///runs.db": (
        "例如：didact runs runs/ --to sqlite:///runs.db"
    ),
    "Run folders, or folders that hold some.": "运行文件夹，或包含它们的文件夹。",
    "Read the runs from a database instead.": "改为从数据库读取运行。",
    "Write FILE.csv, FILE.parquet, or all tables into a database: sqlite:///runs.db, "
    "mysql+pymysql://user:password@host/database.": (
        "写入 FILE.csv、FILE.parquet，或把全部表写入数据库：sqlite:///runs.db、"
        "mysql+pymysql://user:password@host/database。"
    ),
    "Which table goes into a file; wide is one row a run, arm and seed.": (
        "写入文件的是哪张表；wide 为每个运行、训练方式、种子一行。"
    ),
    "List the data sets, models, losses or class-incremental methods that can be named.": (
        "列出可以按名字使用的数据集、模型、损失函数或类增量方法。"
    ),
    "data, models, losses or methods": "data、models、losses 或 methods",
    # check
    "Find the mistakes in distillation code: swapped arguments, a missing log, a lost T**2.": (
        "找出蒸馏代码里的错误：参数写反、漏了 log、丢了 T**2。"
    ),
    "Exit code 0: nothing found; 1: something found; 2: wrong usage, or didact itself failed.": (
        "退出码 0：没有发现问题；1：有问题；2：用法错误，或 didact 自身出错。"
    ),
    "Files and folders; - reads stdin. Default: this folder.": (
        "文件和文件夹；- 表示读标准输入。默认为当前文件夹。"
    ),
    "Codes or prefixes to report, such as KD1,KD203.": "要报告的代码或前缀，如 KD1,KD203。",
    "Codes or prefixes not to report.": "不报告的代码或前缀。",
    "Make the safe fixes.": "做安全的修正。",
    "Also make fixes that change the numbers.": "连会改变数值的修正也做。",
    "Show what fixing would change, and change nothing.": "只显示修正会改什么，不做改动。",
    "text, concise, json, sarif, github, gitlab or junit.": (
        "text、concise、json、sarif、github、gitlab 或 junit。"
    ),
    "Write the report to this file.": "把报告写入这个文件。",
    "Count by code instead of listing.": "按代码计数，不逐条列出。",
    "Leave out the findings that this file knows.": "略去这个基线文件已记录的问题。",
    "Write the findings to the baseline.": "把发现的问题写入基线文件。",
    "The name to judge stdin by, such as loss.py.": "标准输入的内容视作哪个文件，如 loss.py。",
    "Exit with 0 whatever is found.": "无论发现什么，退出码都是 0。",
    "A pyproject.toml, in place of the nearest one.": "指定 pyproject.toml，代替最近的一个。",
    "Files and folders to leave out, as in .gitignore.": "略过的文件和文件夹，写法同 .gitignore。",
    "Processes; 0 chooses by files and cores.": "进程数；0 表示按文件数和核数决定。",
    "Keep answers for the next run, or do not.": "是否把结果缓存给下一次运行。",
    "Serve an editor over stdio.": "通过标准输入输出为编辑器提供服务。",
    # explain
    "Explain pasted distillation code line by line, or print the page of a rule.": (
        "逐行解释粘贴来的蒸馏代码，或打印某条规则的说明页。"
    ),
    "The code may be a fragment, and may be what a web page made of it: on one line, with comments "
    "glued to the code, with full-width punctuation, prompts or Markdown fences. Nothing is "
    "executed.": (
        "代码可以是片段，也可以是网页复制出来的样子：挤成一行、注释粘在代码上、全角标点、带提示符或 "
        "Markdown 围栏。不会执行任何代码。"
    ),
    "A file, - for the standard input, a rule's code such as KD101, or code.": (
        "文件；- 表示标准输入；规则代码（如 KD101）；或一段代码。"
    ),
    "Terminal text, Markdown or JSON.": "终端文本、Markdown 或 JSON。",
    "The summary and the answer to your question alone.": "只给出概要和对问题的回答。",
    # probe
    "Call a distillation loss on crafted inputs: which laws hold, which break, and why.": (
        "用特制的输入调用一个蒸馏损失：哪些性质成立，哪些不成立，为什么。"
    ),
    "This imports the code that you name, and runs it. Exit code 0: every law of its kind holds; "
    "1: a law breaks; 2: the loss cannot be bound, or wrong usage.": (
        "会导入并运行你点名的代码。退出码 0：该类损失的性质全部成立；1：有性质不成立；"
        "2：无法确定如何调用该损失，或用法错误。"
    ),
    "file.py:my_loss or pkg.mod:Class.": "file.py:my_loss 或 pkg.mod:Class。",
    "NAME=VALUE: a value, tensor([..]), or student, teacher, labels, mask, model, batch.": (
        "NAME=VALUE：一个值、tensor([..])，或 student、teacher、labels、mask、model、batch。"
    ),
    "NAME=VALUE: a value, tensor([..]), file.py:name, or student, labels, mask, model, batch.": (
        "NAME=VALUE：一个值、tensor([..])、file.py:name，或 student、labels、mask、model、batch。"
    ),
    "NAME=VALUE for the constructor of a class.": "类的构造参数 NAME=VALUE。",
    "The parameter of the student.": "接收学生输出的参数名。",
    "The parameter of the teacher.": "接收教师输出的参数名。",
    "The parameter of the labels.": "接收标签的参数名。",
    "divergence, match or objective; default: recognised.": (
        "divergence、match 或 objective；默认自动识别。"
    ),
    "The shape, such as classes, sequence, dense, teachers or maps; default: by trial.": (
        "输入形状，如 classes、sequence、dense、teachers 或 maps；默认逐一尝试。"
    ),
    "Classes that the teacher knows, where the student has more.": (
        "学生类别更多时，教师认识的类别数。"
    ),
    "A loss of tokens: [B, S, C], with labels of -100 or a mask.": (
        "逐词元的损失：[B, S, C]，标签含 -100 或有掩码。"
    ),
    "Laws to leave out.": "不检验的性质。",
    "file.py:make, which returns (step, student, teacher, batch): check that step instead.": (
        "file.py:make，返回 (step, student, teacher, batch)：改为检验这个训练步。"
    ),
    "With --step: 2 tries DDP in two processes, 1 does not.": (
        "与 --step 同用：2 表示在两个进程里试 DDP，1 表示不试。"
    ),
    "table, json or junit.": "table、json 或 junit。",
    # web
    "Open a page to paste distillation code into: what it does, and what is wrong with it.": (
        "打开一个网页，粘贴蒸馏代码即可看到它做了什么、哪里有错。"
    ),
    "It is served to this machine alone; nothing leaves it. Ctrl-C ends it.": (
        "只对本机开放，任何内容都不会外传。按 Ctrl-C 结束。"
    ),
    "The port; another free one if it is taken.": "端口；被占用时换一个空闲的。",
    "Print the address and open nothing.": "只打印地址，不打开浏览器。",
    # What typer says of a command line
    "Missing command.": "缺少命令。",
    "No such command '{}'.": "没有命令 '{}'。",
    "No such option: {}": "没有选项 {}",
    "No such option: {} Did you mean {}?": "没有选项 {}，是否想写 {}？",
    "No such option: {} (Possible options: {})": "没有选项 {}（可能是：{}）",
    "Missing argument '{}'.": "缺少参数 '{}'。",
    "Missing option '{}'.": "缺少选项 '{}'。",
    "Missing parameter: {}": "缺少参数 {}",
    "Option '{}' requires an argument.": "选项 '{}' 需要一个值。",
    "Option '{}' requires {} arguments.": "选项 '{}' 需要 {} 个值。",
    "Option '{}' does not take a value.": "选项 '{}' 不带值。",
    "Got unexpected extra argument ({})": "多出了参数 {}",
    "Got unexpected extra arguments ({})": "多出了参数 {}",
    "Invalid value for {}: {}": "{0} 的值无效：{1!t}",
    "Invalid value: {}": "值无效：{0!t}",
    "Input should be a valid integer, unable to parse string as an integer": "应为整数",
    "Input should be a valid number, unable to parse string as a number": "应为数",
    "Input should be a valid boolean, unable to interpret input": "应为真假值",
    "Input should be {}": "应为 {}",
    "{} is not a valid integer.": "{} 不是整数。",
    "{} is not a valid int.": "{} 不是整数。",
    "{} is not a valid float.": "{} 不是数。",
    "{} is not a valid boolean.": "{} 不是真假值。",
    "{} is not one of {}.": "{} 不在可选值 {} 之中。",
    "{} is not in the range {}.": "{} 不在范围 {} 之内。",
    # The end of the program
    "error: {}": "错误：{0!t}",
    "interrupted": "已中断",
    "something is nested too deeply to be read": "嵌套过深，无法读取",
    "there is not enough memory for this": "内存不足",
    "cannot read or write {}: {}": "无法读写 {}：{}",
    "cannot read or write what was to be printed: {}": "无法写出要打印的内容：{}",
}
