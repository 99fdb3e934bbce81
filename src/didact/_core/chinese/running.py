"""What a run says while it works, and what the commands refuse."""

TEXTS = {
    "cannot write {}: {}": "无法写入 {0}：{1!t}",
    "{} refuses: {}": "{0} 拒绝了请求：{1}",
    "No such file or directory": "没有这个文件或文件夹",
    "Permission denied": "没有权限",
    "Is a directory": "这是一个文件夹",
    # Progress
    "starting": "开始",
    "measuring and exporting": "测量并导出",
    "seed {} teacher epoch {}/{} loss {} validation {}%": (
        "种子 {} 教师 第 {}/{} 轮 损失 {} 验证 {}%"
    ),
    "seed {} {} epoch {}/{}  loss {}  validation {}%": (
        "种子 {0}  {1!t}  第 {2}/{3} 轮  损失 {4}  验证 {5}%"
    ),
    "[{}%] seed {} {} epoch {}/{}  loss {}  validation {}%": (
        "[{0}%] 种子 {1}  {2!t}  第 {3}/{4} 轮  损失 {5}  验证 {6}%"
    ),
    "{} seed {} task {} {} epoch {}/{}  loss {}": ("{} 种子 {}  任务 {}  {}  第 {}/{} 轮  损失 {}"),
    "[{}%] {} seed {} task {} {} epoch {}/{}  loss {}": (
        "[{}%] {} 种子 {}  任务 {}  {}  第 {}/{} 轮  损失 {}"
    ),
    "alone": "单独",
    "distilled": "蒸馏",
    "teacher-{}": "教师 {}",
    "teacher  ": "教师",
    "alone    ": "单独",
    "teacher-1": "教师 1",
    "teacher-2": "教师 2",
    "seed {} {}": "种子 {} {}",
    "{}: {} -> {}, {}, {}, {} x {} epochs": ("{0}：{1!t} -> {2}，{3}，{4!t}，{5!t}，每个 {6} 轮"),
    "no teacher": "无教师",
    "all labels": "全部标签",
    "{}% of labels": "{}% 的标签",
    "all labels, {}% label noise": "全部标签，{}% 标签噪声",
    "{}% of labels, {}% label noise": "{}% 的标签，{}% 标签噪声",
    "{}: {}, {}-incremental; {}; {}, {} x {} epochs": (
        "{0}：{1!t}，{2}-incremental；{3}；{4}，{5} 个种子，每个任务 {6} 轮"
    ),
    "{}: {}, {}-incremental; {}; {}, {} x one pass": (
        "{0}：{1!t}，{2}-incremental；{3}；{4}，{5} 个种子，只过一遍"
    ),
    "{} classes, then {} at a time": "先 {} 类，之后每次 {} 类",
    "{}: {} classes, then {} at a time, {}-incremental; {}; {}, {} x {} epochs": (
        "{}：先 {} 类，之后每次 {} 类，{}-incremental；{}；{}，{} 个种子，每个任务 {} 轮"
    ),
    "{}: {} classes, then {} at a time, {}-incremental; {}; {}, {} x one pass": (
        "{}：先 {} 类，之后每次 {} 类，{}-incremental；{}；{}，{} 个种子，只过一遍"
    ),
    "note: {}": "注意：{0!t}",
    "{} keep no exemplars": "{0!t} 不存样例",
    "{} keeps no exemplars": "{} 不存样例",
    "{} and {}": "{} 与 {}",
    "{} tasks": "{} 个任务",
    "{} {} domains": "{} 个 {} 域",
    "report: {}": "报告：{}",
    "{} runs written": "已写入 {} 个运行",
    "not checked, for they have no digest: {}": "没有摘要，未核对：{}",
    "a number is {}; expected a finite one": "有一个数为 {}；应为有限的数",
    "{} is checked itself: the report would take its place; name another --output": (
        "{} 本身就是要检查的文件，会被报告覆盖；请让 --output 指向另一个文件"
    ),
    "--select holds no code; expected such as KD1,KD203, or leave it out": (
        "--select 中没有编号；应形如 KD1,KD203，或去掉该选项"
    ),
    "{} checked, {} damaged": "核对 {} 个，损坏 {} 个",
    "DAMAGED": "损坏",
    "teacher {}: {} % of {} validation images right": ("教师 {0}：在 {2} 张验证图像上准确率 {1} %"),
    "teacher {}: {} % of {} validation images right with normalisation {}, the best of those tried "
    "({}); --teacher-normalise {} settles it": (
        "教师 {0}：用归一化 {3}（试过 {4}，此为最好），在 {2} 张验证图像上准确率 {1} %；"
        "用 --teacher-normalise {5} 可固定下来"
    ),
    "teacher {}: {} of {} validation samples with normalisation {}, the best of those tried ({}); "
    "--teacher-normalise {} settles it": (
        "教师 {0}：用归一化 {3}（试过 {4}，此为最好），在 {2} 个验证样本上 {1}；"
        "用 --teacher-normalise {5} 可固定下来"
    ),
    "teacher {}: {} % of {} validation images right with normalisation {}, and not surely fewer with "
    "{} ({}): which one it was trained with cannot be told; say it by --teacher-normalise": (
        "教师 {0}：用归一化 {3}，在 {2} 张验证图像上准确率 {1} %；用 {4} 也不见得更差（{5}），"
        "无法判断它训练时用的是哪一种，请用 --teacher-normalise 指明"
    ),
    "teacher {}: {} of {} validation samples with normalisation {}, and not surely fewer with {} "
    "({}): which one it was trained with cannot be told; say it by --teacher-normalise": (
        "教师 {0}：用归一化 {3}，在 {2} 个验证样本上 {1}；用 {4} 也不见得更差（{5}），"
        "无法判断它训练时用的是哪一种，请用 --teacher-normalise 指明"
    ),
    "{} findings written to {}": "已将 {} 处问题写入 {}",
    "{} would be fixed": "可修正 {} 处",
    "importing and running {}": "导入并运行 {}",
    "didact web is at {} (Ctrl-C ends it)": "didact web 的地址是 {}（按 Ctrl-C 结束）",
    "accuracy of task {}": "任务 {} 的准确率",
    # Tables
    "run": "运行",
    "kind": "种类",
    "data": "数据",
    "arm": "训练方式",
    "seeds": "种子",
    "accuracy, %": "准确率，%",
    "not finished": "未结束",
    "name": "名称",
    "what it is": "说明",
    "what it does": "作用",
    "paper": "论文",
    "formula": "公式",
    "defaults": "默认值",
    "options": "选项",
    "your own class or function": "你自己的类或函数",
    "of those libraries, where installed": "来自这些库（如已安装）",
    "your own subclass of Method": "你自己的 Method 子类",
    "Run": "运行",
    "Mean ± 95%": "均值 ± 95%",
    "Median": "中位数",
    "{}, %, {}, on the test split of {}": "{0!t}（%），{1!t}，{2} 测试集",
    "Test accuracy": "测试准确率",
    "Validation accuracy": "验证准确率",
    "Same class as teacher": "与教师一致",
    "Calibration error (ECE)": "校准误差（ECE）",
    "{}, {}, on the test split of {}": "{0!t}（{1!t}），{2} 测试集",
    "Differences are from {}, ± half of their 95% interval.": (
        "差值相对 {}，± 为 95% 区间的一半。"
    ),
    "Test: paired t-test (same seeds): {}.": "检验：配对 t 检验（种子相同）：{}。",
    "Test: Welch's t-test (other seeds, not paired): {}.": (
        "检验：Welch t 检验（种子不同，不配对）：{}。"
    ),
    "{}: no interval and no test: {}.": "{0}：没有区间，也没有检验：{1!t}。",
    "{}: exact sign-flip test of the same pairs: {}.": "{}：同样的配对，精确符号翻转检验：{}。",
    "{}: on the same images, it alone is right on {} and {} alone on {} (the kept seeds): "
    "McNemar's exact test {}.": (
        "{0}：在相同图像上，只有它答对的有 {1} 张，只有 {2} 答对的有 {3} 张（所保留的种子）：McNemar "
        "精确检验 {4}。"
    ),
    "Warning: {}.": "警告：{0!t}。",
    "{} is not finished: {} seeds were planned": "{} 尚未结束：计划 {} 个种子",
    "{} has train {}; {} has {}": "{} 的训练图像为 {}，{} 为 {}",
    "{} has labelled {}; {} has {}": "{} 的有标签图像为 {}，{} 为 {}",
    "{} has label noise {}; {} has {}": "{} 的标签噪声为 {}，{} 为 {}",
    "all {} seeds gave the same value, which gives no interval": "{} 个种子结果相同，得不出区间",
    "neither side varies with the seed, which gives no interval": (
        "两方都不随种子变化，得不出区间"
    ),
    "one seed gives no interval and no test": "一个种子得不出区间，也无法检验",
    # Names that are not known
    "known: {}": "可选：{}",
    "did you mean {}?": "是否想写 {}？",
    "did you mean {} or {}?": "是否想写 {} 或 {}？",
    "did you mean {} or {} or {}?": "是否想写 {}、{} 或 {}？",
    "none is known": "没有可选的",
    "it has {} others": "另有 {} 个",
    "no {} is called {}; {}": "没有名为 {1} 的 {0}；{2!t}",
    "there is no list of {}; {}": "没有 {0} 的列表；{1!t}",
    "there is no format {}; {}": "没有格式 {0}；{1!t}",
    "no chosen loss has an option {}; {}": "所选损失都没有选项 {0}；{1!t}",
    "no loss is called {}; {} (your own: file.py:my_loss)": (
        "没有名为 {0} 的损失函数；{1!t}（自己的写 file.py:my_loss）"
    ),
    "no model is called {}; {} (a model of your own is pkg.mod:Name or file.py:Name)": (
        "没有名为 {0} 的模型；{1!t}（自己的模型写 pkg.mod:Name 或 file.py:Name）"
    ),
    "no method is called {}; {} (a method of your own is pkg.mod:Name or file.py:Name)": (
        "没有名为 {0} 的方法；{1!t}（自己的方法写 pkg.mod:Name 或 file.py:Name）"
    ),
    "no data set is called {}; {} (known: {}, pkg.mod:factory, file.py:factory)": (
        "没有名为 {0} 的数据集；{1!t}（可选：{2}、pkg.mod:factory、file.py:factory）"
    ),
    "no augmentation is called {}; {}": "没有名为 {0} 的数据增强；{1!t}",
    "{} is not the name of a {}; expected pkg.mod:Name or file.py:Name": (
        "{0} 不是 {1} 的名字；应为 pkg.mod:Name 或 file.py:Name"
    ),
    "there is no file {} (asked for as {})": "没有文件 {}（来自 {}）",
    "{} cannot be imported as Python (asked for as {})": "{} 不能作为 Python 导入（来自 {}）",
    "{} has no {} (asked for as {}); {}": "{0} 中没有 {1}（来自 {2}）；{3!t}",
    "importing {} failed: {}: {} (asked for as {})": "导入 {} 失败：{}：{}（来自 {}）",
    "importing {} ended the program with exit code {}: put what it runs under if __name__ == "
    '"__main__":': (
        '导入 {} 时程序以退出码 {} 结束：请把要运行的部分放在 if __name__ == "__main__": 之下'
    ),
    '{} is not installed and this needs it. Install it with: pip install "didact[{}]"': (
        '需要 {}，但尚未安装。安装：pip install "didact[{}]"'
    ),
    "{} needs {}, which is not installed; install it with: pip install {}": (
        "{} 需要 {}，但尚未安装；安装：pip install {}"
    ),
    "{} needs {}, which is not installed. Install it with: pip install {}": (
        "{} 需要 {}，但尚未安装。安装：pip install {}"
    ),
    "{} is not installed and this model needs it. Install it with: pip install {}": (
        "此模型需要 {}，但尚未安装。安装：pip install {}"
    ),
    "language is {}; expected 'en' or 'zh'": "语言为 {}；应为 'en' 或 'zh'",
    # Options
    "{} cannot be written: {}": "{} 无法写入：{}",
    "{} cannot be read: {}": "{} 无法读取：{}",
    "there is no file {}": "没有文件 {}",
    "--seeds is {}, which asks for as many runs; expected {} at most (one seed of that number is "
    "{},)": "--seeds 为 {}，即要跑这么多次；最多 {} 个（若只要这一个种子，写 {},）",
    "--{} is {}; expected numbers with commas between": "--{} 为 {}；应为用逗号隔开的数",
    "--{} is {}; expected LOSS.OPTION=VALUE, as dkd.beta=8": (
        "--{} 为 {}；应写成 LOSS.OPTION=VALUE，如 dkd.beta=8"
    ),
    "--{} is {}; expected METHOD.OPTION=VALUE, as lwf.classes=seen": (
        "--{} 为 {}；应写成 METHOD.OPTION=VALUE，如 lwf.classes=seen"
    ),
    "--resume takes its settings from run.toml; leave out {}": (
        "--resume 的设置取自 run.toml；请去掉 {}"
    ),
    "name run folders, or a database with --from; one of the two": (
        "请给出运行文件夹，或用 --from 给出数据库；二者选一"
    ),
    "--statistics has no place in the format {}; use text, concise or json": (
        "格式 {} 不支持 --statistics；请用 text、concise 或 json"
    ),
    "- reads stdin and stands alone; give either - or paths": (
        "- 表示读标准输入，须单独使用；- 与路径二选一"
    ),
    "--stdin-filename names the text from stdin; add - to read it": (
        "--stdin-filename 为标准输入命名；请加上 - 来读取"
    ),
    "--write-baseline needs the file: --baseline FILE --write-baseline": (
        "--write-baseline 需要文件名：--baseline FILE --write-baseline"
    ),
    "there is no configuration file {}": "没有配置文件 {}",
    "there is nothing to probe: name a loss, as file.py:my_loss, or give --step": (
        "没有可检验的对象：请写损失函数（如 file.py:my_loss），或用 --step"
    ),
    "--step checks a training step; a loss, --arg, --init, --student, --teacher, --labels, --kind, "
    "--layout, --old-classes, --language-model and --ignore are for a loss": (
        "--step 检验的是训练步；损失函数名以及 --arg、--init、--student、--teacher、--labels、--kind、"
        "--layout、--old-classes、--language-model、--ignore 只用于检验损失函数"
    ),
    "--processes is {}; expected 1 or 2": "--processes 为 {}；应为 1 或 2",
    "{} is {}; expected NAME=VALUE, such as T=4": "{} 为 {}；应写成 NAME=VALUE，如 T=4",
    "{} is no tensor: {}; expected numbers, such as tensor([1.0, 2.0])": (
        "{} 不是张量：{}；应为数字，如 tensor([1.0, 2.0])"
    ),
    "{} is not the name of a loss; expected file.py:my_loss, pkg.mod:my_loss or one of didact's own "
    "({})": "{} 不是损失函数的名字；应为 file.py:my_loss、pkg.mod:my_loss 或 didact 自带的（{}）",
    "{} names nothing to import; expected file.py:name or pkg.mod:name": (
        "{} 没有指明要导入什么；应为 file.py:name 或 pkg.mod:name"
    ),
    # Settings
    "there is no setting {}": "没有设置 {}",
    "{} is {}; expected a side such as 32, or HEIGHTxWIDTH such as 32x48": (
        "{} 为 {}；应为边长（如 32），或 HEIGHTxWIDTH（如 32x48）"
    ),
    "{} are larger than 64 bits; expected numbers such as 0,1,2": (
        "{} 超过 64 位；应为 0,1,2 这样的数"
    ),
    "{} are {}; expected one or more different numbers": "{} 为 {}；应为一个或多个不同的数",
    "{} are {}; expected one or more different methods": "{} 为 {}；应为一个或多个不同的方法",
    "{} is {}, whose bytes are not UTF-8; rename it, so that the run's record can say it": (
        "{} 为 {}，其字节不是 UTF-8；请改名，否则运行记录写不下它"
    ),
    "{} input should be greater than {} (got {})": "{} 应大于 {}（实为 {}）",
    "{} input should be greater than or equal to {} (got {})": "{} 应不小于 {}（实为 {}）",
    "{} input should be less than {} (got {})": "{} 应小于 {}（实为 {}）",
    "{} input should be less than or equal to {} (got {})": "{} 应不大于 {}（实为 {}）",
    "{} input should be {} (got {})": "{} 应为 {}（实为 {}）",
    "{} input should be a finite number (got {})": "{} 应为有限的数（实为 {}）",
    "{} input should be a valid integer (got {})": "{} 应为整数（实为 {}）",
    "{} input should be a valid number (got {})": "{} 应为数（实为 {}）",
    "{} input should be a valid string (got {})": "{} 应为文本（实为 {}）",
    "{} input should be a valid integer, unable to parse string as an integer (got {})": (
        "{} 应为整数（实为 {}）"
    ),
    "{} input should be a valid number, unable to parse string as a number (got {})": (
        "{} 应为数（实为 {}）"
    ),
    "{} is {}; expected a number, or two as in 8:2 (from 8 to 2)": (
        "{} 为 {}；应为一个数，或两个数如 8:2（从 8 到 2）"
    ),
    "{} is {}; expected numbers above 0 (4 is usual)": "{} 为 {}；应大于 0（常用 4）",
    "{} is {}; expected 0 to 1: the loss is (1 - weight)*CE + weight*KD": (
        "{} 为 {}；应在 0 到 1 之间：损失为 (1 - weight)*CE + weight*KD"
    ),
    "arms are {}; expected one or more different arms": "arms 为 {}；应为一个或多个不同的训练方式",
    "arm 'distilled' needs a teacher": "训练方式 'distilled' 需要教师",
    "loss is empty; expected at least one, such as kd": "loss 为空；至少给一个，如 kd",
    "{} teacher weights for {} teachers; give one weight for each teacher, in the same order": (
        "{} 个教师权重对应 {} 个教师；请按相同顺序每个教师给一个权重"
    ),
    "teacher weights are {}; expected positive numbers": "教师权重为 {}；应为正数",
    "batch_size {} is not a multiple of devices x accumulate = {}; every part of a step must be of "
    "one size": "batch_size {} 不是 devices x accumulate = {} 的倍数；一步的各份大小必须相同",
    "{} of {} for {} teachers; give one for all, or one for each, in the same order": (
        "{2} 个教师给了 {0} 个 {1}；请全部共用一个，或按相同顺序每个教师给一个"
    ),
    "give memory or memory-per-class, not both": "memory 与 memory-per-class 只能给一个",
    "batch_size {} is not a multiple of devices = {}": "batch_size {} 不是 devices = {} 的倍数",
    "several jobs with several devices each are not run; choose one": (
        "不能同时用多个 jobs 和多个 devices；二者选一"
    ),
    "evaluate-on validation needs validation above 0, such as 0.2": (
        "evaluate-on validation 需要 validation 大于 0，如 0.2"
    ),
    "an option is for {}; the methods of this run are {} (write METHOD.OPTION=VALUE)": (
        "有选项是给 {} 的；本次运行的方法为 {}（写法 METHOD.OPTION=VALUE）"
    ),
    "--{} has no effect: {}": "--{0} 不起作用：{1!t}",
    "--online is one pass over each task": "--online 对每个任务只过一遍",
    "{} compares a task's classes with each other alone, and there is one class in task {}: it "
    "learns nothing of it; --option {}.classes=seen compares with all classes so far": (
        "{} 只在一个任务的类别之间比较，而任务 {} 只有一个类别，从中学不到东西；--option "
        "{}.classes=seen 会与已见的全部类别比较"
    ),
    "it is for --scenario domain": "它用于 --scenario domain",
    "it is for --optimizer sgd": "它用于 --optimizer sgd",
    "it is for --schedule step": "它用于 --schedule step",
    "--groups say which classes come when": "类别的先后由 --groups 决定",
    "the memory is 0": "记忆大小为 0",
    # Losses and teachers of a run
    "{} has no validation split; give --validation 0.1": "{} 没有验证集；请给 --validation 0.1",
    "cached logits are those of the images as they are, and --augment {} changes the images; leave "
    "it out, or give the teacher itself": (
        "缓存的 logits 对应原图，而 --augment {} 会改变图像；请去掉它，或给出教师本身"
    ),
    "the loss {} fails on logits {}: {}: {}": "损失 {} 在 logits {} 上出错：{}：{}",
    "loss {} returns {}; expected one number, a scalar tensor": (
        "损失 {} 返回 {}；应为一个数（标量张量）"
    ),
    "loss {} does not depend on the student: no gradient reaches it. Look for detach(), .data, "
    ".item(), no_grad or argmax in it": (
        "损失 {} 与学生无关：梯度传不到学生。检查其中的 detach()、.data、.item()、no_grad 或 argmax"
    ),
    "{} is complete; there is nothing to resume. Look at it with: didact report {}": (
        "{} 已经完成，无需继续。查看：didact report {}"
    ),
    "{} pairs the stages of both models and the student has {} and the teacher {}; take models with "
    "equally many": "{} 逐段配对两个模型，而学生有 {} 段、教师有 {} 段；请选段数相同的模型",
    "loss {} takes the features of none of {} (student) with {} (teacher): {}. Name others with "
    "--student-layer and --teacher-layer": (
        "损失 {} 用不了学生的 {} 与教师的 {} 中任何一对特征：{}。请用 --student-layer 与 "
        "--teacher-layer 另行指定"
    ),
    "a feature loss needs to know where the {} {} is tapped; give --{}-layer with a module path, as "
    "in named_modules()": (
        "特征损失需要知道从 {0!t} {1} 的哪里取特征；请用 --{2}-layer 给出模块路径（见 named_modules()）"
    ),
    "the {} {} has no feature maps, which this loss compares; take a convolutional network": (
        "{0!t} {1} 没有此损失所比较的特征图；请用卷积网络"
    ),
    "the weight in {} is {}; expected a number above 0": "{} 中的权重为 {}；应大于 0",
    "loss {} needs {}, which a run does not have; it has {}. Rename the parameter, give it a "
    "default, or set it with --loss-option {}.{}=...": (
        "损失 {} 需要 {}，而一次运行只有 {}。请给参数改名、设默认值，或用 --loss-option {}.{}=... 设定。"
    ),
    "{} is a {}; expected a function": "{} 是 {}；应为函数",
    "the teacher {} gets {} % of the validation images right and the student alone {} %: it would "
    "pull the student down. Likely it was trained on images of another normalisation, size or crop "
    "(--teacher-normalise, --teacher-input-size), or on other classes; --accept-teacher goes on "
    "anyway": (
        "教师 {} 在验证集上准确率为 {} %，单独训练的学生为 {} %：教师会拖累学生。很可能它训练时的归一化、"
        "尺寸或裁剪不同（--teacher-normalise、--teacher-input-size），或类别不同；--accept-teacher "
        "可强行继续"
    ),
    "the teacher {} gets {} % of {} validation images right and guessing the commonest class {} %. "
    "{}. --accept-teacher goes on anyway": (
        "教师 {0} 在 {2} 张验证图像上准确率为 {1} %，而永远猜最常见的类别为 {3} %。{4!t}。"
        "--accept-teacher 可强行继续"
    ),
    "With its classes in another order it would get {} %: its labels are numbered differently from "
    "those of the data (class folders are numbered by name)": (
        "若类别换个顺序，可达 {} %：它的标签编号与数据不同（类别文件夹按名字编号）"
    ),
    "Normalisation was tried ({}). Likely its weights are those of another data set, its images had "
    "another size (--teacher-input-size), or it was never trained": (
        "已试过各种归一化（{}）。很可能权重来自别的数据集，或图像尺寸不同（--teacher-input-size），"
        "或从未训练"
    ),
    "the teacher {} cannot take images of shape {} (channels, height, width): {}; for another size "
    "give --teacher-input-size, for grey images and three channels --teacher-normalise imagenet": (
        "教师 {} 不接受形状为 {}（通道、高、宽）的图像：{}；尺寸不同用 --teacher-input-size，"
        "灰度图对三通道用 --teacher-normalise imagenet"
    ),
    "the teacher {} gives logits of shape {} and {} has {}; student, teacher and data must have the "
    "same classes": "教师 {} 输出的 logits 形状为 {}，而 {} 有 {}；学生、教师与数据的类别必须相同",
    # Models of a run
    "there is no file {} for the {}": "没有{1!t}要用的文件 {0}",
    "there is no run folder or file {} for the {}": "没有{1!t}要用的运行文件夹或文件 {0}",
    "student": "学生",
    "the dictionary of the {} {} has no 'model'; expected model, and perhaps normalise, input_size "
    "and trained": "{0!t} {1} 的字典中没有 'model'；应有 model，以及可选的 normalise、input_size、trained",
    "the dictionary of the {} {} {}; expected model, and perhaps normalise, input_size and trained": (
        "{0!t} {1} 的字典 {2}；应有 model，以及可选的 normalise、input_size、trained"
    ),
    "the {} {} returns {}; expected logits (2, classes)": "{0!t} {1} 返回 {2}；应为 logits (2, 类别数)",
    "the {} {} knows {} classes and {} has {}; student, teacher and data must have the same classes": (
        "{0!t} {1} 有 {2} 个类别，而 {3} 有 {4} 个；学生、教师与数据的类别必须相同"
    ),
    "{} knows {} classes and {} has {}; student, teacher and data must have the same classes": (
        "{} 有 {} 个类别，而 {} 有 {} 个；学生、教师与数据的类别必须相同"
    ),
    "{} holds a model called {}, and code is imported only when you name it. If you know that code: "
    "--teacher {}={}": (
        "{} 中的模型名为 {}，而只有你点名的代码才会导入。若你了解这段代码：--teacher {}={}"
    ),
    "{} does not say which model it holds; name it: --{} resnet56={}": (
        "{} 没有说明是什么模型；请写明：--{} resnet56={}"
    ),
    "{} takes images of shape {} and {} has {} (channels, height, width); expected the same, or for "
    "a teacher --teacher-input-size {}x{}": (
        "{} 接受形状为 {} 的图像，而 {} 为 {}（通道、高、宽）；应相同，或对教师用 "
        "--teacher-input-size {}x{}"
    ),
    "{} is not a run folder: it has no {}": "{} 不是运行文件夹：没有 {}",
    "{} is a program that cannot be trained; it can be a teacher": (
        "{} 是不能训练的程序；只能作教师"
    ),
    "the {} {} cannot take images of shape {} (channels, height, width): {}": (
        "{0!t} {1} 不接受形状为 {2}（通道、高、宽）的图像：{3}"
    ),
    "the {} {} cannot take images of shape {} (channels, height, width): {}; for another size give "
    "--teacher-input-size": (
        "{0!t} {1} 不接受形状为 {2}（通道、高、宽）的图像：{3}；尺寸不同用 --teacher-input-size"
    ),
    "{} holds a model called {}: {}": "{0} 中的模型名为 {1}：{2!t}",
    "building {} failed: {}: {}": "构建 {} 失败：{}：{}",
    "mean and std are not one number for each channel": "mean 与 std 不是每个通道一个数",
    "std is not above 0": "std 不大于 0",
    "the model is {}; expected a name, or a function (data, classes) that builds a network, since "
    "it must be built for any number": (
        "模型为 {}；应为名字，或构建网络的函数 (data, classes)，因为类别数会变"
    ),
    "{} has no trained {} of seed {}; it has {} of seeds {}": (
        "{0} 中没有种子 {2} 训练好的 {1}；有种子 {4} 的 {3}"
    ),
    # Cached logits
    "{} knows the images of the data as they are stored, and no others: leave out augmentation and "
    "losses on features, or give the teacher itself": (
        "{} 只认识数据中的原图：请去掉数据增强和特征损失，或给出教师本身"
    ),
    "{} has no {}, and the {} images of {} are stored apart from the others; it has {}": (
        "{0} 没有 {1}，而 {3} 的 {2} 图像是单独存放的；它有 {4}"
    ),
    "{}: {} is {}; expected ({}, {}): a row for every image in the order of {}, before any are set "
    "aside for validation or test": (
        "{}：{} 为 {}；应为 ({}, {})：按 {} 的顺序每张图像一行，在划出验证集或测试集之前"
    ),
    "{} knows nothing of these images": "{} 中没有这些图像",
    "{} is damaged or no .npz file of numbers ({}); write it with numpy.savez(FILE, train=..., "
    "test=...)": "{} 已损坏，或不是数值的 .npz 文件（{}）；请用 numpy.savez(FILE, train=..., test=...) 写",
    # The end of a run
    "stopped; nothing is lost. Go on with: {} --resume {}": (
        "已停止，没有丢失任何东西。继续：{} --resume {}"
    ),
    "the loss of {}, became {} in {}epoch {}; the last good checkpoint is kept. Try a smaller "
    "--learning-rate (now {}), --clip-norm 1, or --precision 32-true": (
        "{0} 的损失在 {2} 第 {3} 轮变为 {1}；最后一个正常的检查点仍保留。试试更小的 --learning-rate（现为 "
        "{4}）、--clip-norm 1 或 --precision 32-true"
    ),
    "a process of the run ended unexpectedly ({}); was it out of memory? Go on with: {} --resume "
    "{}": "运行的一个进程意外结束（{}）；是否内存不足？继续：{} --resume {}",
    "a process of the run ended unexpectedly ({}, seed {}); was it out of memory? Go on with "
    "--resume, or with fewer --jobs": (
        "运行的一个进程意外结束（{}，种子 {}）；是否内存不足？用 --resume 继续，或减少 --jobs"
    ),
    "the ONNX model's logits differ from PyTorch's by up to {} on {} test images (allowed {}); {} "
    "was not written": "ONNX 模型的 logits 与 PyTorch 在 {1} 张测试图像上最多相差 {0}（允许 {2}）；没有写出 {3}",
    # Run folders
    "{} exists already; go on with --resume {}, replace it with --overwrite, or name another with "
    "--output": "{} 已存在；用 --resume {} 继续，用 --overwrite 替换，或用 --output 另取一个名字",
    "{} is not a run folder (it has no {}); it is left as it is": (
        "{} 不是运行文件夹（没有 {}）；保持原样"
    ),
    "{} would import and run {}, and was not made by you on this machine. If you know this code, "
    "say so with --trust": (
        "{} 会导入并运行 {}，而它不是你在这台机器上创建的。若你了解这段代码，请加 --trust"
    ),
    "{} does not say {}; expected every setting, as didact wrote it. Put the file back as it was": (
        "{} 没有写 {}；应包含 didact 写下的每一项设置。请恢复原文件"
    ),
    "{} says {} = {}, and the run was started with {}; a run that goes on keeps its settings. For a "
    "run with others: --config {} --output NEW": (
        "{} 写着 {} = {}，而运行开始时为 {}；继续运行时设置不变。要用其他设置：--config {} --output NEW"
    ),
    "{} is a run of didact distill; expected one of didact learn": (
        "{} 是 didact distill 的运行；应为 didact learn 的"
    ),
    "a run that goes on keeps its {}; only {} may change": "继续运行时 {} 不变；只有 {} 可以改",
    "{} has {} with the options {}; a run with others needs a folder of its own": (
        "{} 中 {} 的选项为 {}；选项不同的运行需要另一个文件夹"
    ),
    "{} is in use by process {} on {} since {} ({}); wait until it ends, or end it": (
        "{} 正被进程 {} 使用（主机 {}，自 {} 起，{}）；请等它结束，或结束它"
    ),
    "{} is in use by another process; wait until it ends, or end it": (
        "{} 正被另一个进程使用；请等它结束，或结束它"
    ),
    "{} was written with other settings than this run's run.toml{}; numbers of both would be mixed. "
    "Put run.toml back as it was, or start a run of its own with --config": (
        "{0} 写入时的设置与本运行的 run.toml 不同 {1}；两者的数字会混在一起。请恢复 run.toml，或用 --config "
        "另起一次运行"
    ),
    "{} was computed on other data than what is there now (digest {}, now {}); put the data back, or "
    "start a run of its own": (
        "计算 {} 时的数据与现在的不同（摘要 {}，现为 {}）；请恢复数据，或另起一次运行"
    ),
    "{} holds {} {}; expected {}. It is the file of another part of the run under a wrong name; put "
    "the right one back, or remove it, and its part is computed again": (
        "{} 中是 {} {}；应为 {}。这是本运行另一部分的文件，被放错了名字；请放回正确的文件，或删除它，"
        "该部分会重新计算"
    ),
    "it has {} lines of {}, which has {} epochs behind it": (
        "其中属于 {1} 的有 {0} 行，而它已完成 {2} 个轮次"
    ),
    "{} of seed {}": "种子 {1} 的 {0}",
    "a CPU does not train in 16-mixed; expected bf16-mixed or 32-true, or a GPU": (
        "CPU 不能以 16-mixed 训练；应为 bf16-mixed 或 32-true，或使用 GPU"
    ),
    "no room left to write {}; what was finished before is kept. Free some space and go on with "
    "--resume": "没有空间写入 {}；此前完成的仍保留。请腾出空间后用 --resume 继续",
    "{} is damaged: {}; use another copy of it, or run again": (
        "{0} 已损坏：{1!t}；请换一份副本，或重新运行"
    ),
    "{} is damaged: {}": "{0} 已损坏：{1!t}",
    "{}, line {} is damaged: {}": "{0} 第 {1} 行已损坏：{2!t}",
    "it does not have the digest that was written with it": "与写入时的摘要不符",
    "its digest is another": "摘要不同",
    "line {}: it has no digest, and others have": "第 {} 行没有摘要，而其他行有",
    "not an object": "不是对象",
    "--grid has {} twice; expected {}=VALUE,VALUE once": (
        "--grid 中 {} 出现了两次；应只写一次 {}=VALUE,VALUE"
    ),
    "{} is larger than 64 bits; expected a smaller number": "{} 超过 64 位；应为更小的数",
    "it is no regular file": "它不是普通文件",
    "it has no digest, and metrics.jsonl has": "其中没有摘要，而 metrics.jsonl 有",
    "it holds no object": "其中不是对象",
    "it holds a {}; expected an object": "其中是 {}；应为对象",
    "its header is not an object": "文件头不是对象",
    "its header is not JSON ({})": "文件头不是 JSON（{}）",
    "a part of it is missing or wrong ({})": "有一部分缺失或错误（{}）",
    "a whole number has more than 64 bits": "有整数超过 64 位",
    "no method; expected at least one of a run that is complete": "没有方法；完成的运行至少应有一个",
    "protocol.train_sizes is not one number for each task": "protocol.train_sizes 不是每个任务一个数",
    "{} of seed {} has {} answers for {} images": "种子 {1} 的 {0} 对 {3} 张图像有 {2} 个回答",
    "bottom has {} entries for {} levels": "bottom 有 {} 项，而层数为 {}",
    "a matrix is not {} x {}": "有矩阵不是 {} x {}",
    "{} has not one entry for each of the {} tasks": "{} 不是 {} 个任务各一项",
    "the result of the run cannot be written: {}; what was trained is kept": (
        "运行结果无法写入：{}；训练好的模型仍保留"
    ),
    "{} is damaged or truncated: {}": "{} 已损坏或不完整：{}",
    "{} is damaged: arms.{}.{} has {} values for {} seeds": (
        "{} 已损坏：arms.{}.{} 有 {} 个值，而种子有 {} 个"
    ),
    # Reports, comparisons, records
    "there is {} run folder; expected two or more to compare": "只有 {} 个运行文件夹；比较需要两个以上",
    "{} has no {} for the arm {}; {}": "{0} 的训练方式 {2} 没有 {1}；{3!t}",
    "it has it for: {}": "有此指标的为：{}",
    "no arm has it": "各训练方式都没有",
    "the data set of {} is {} and of {} is {}; runs on different data cannot be compared": (
        "{} 的数据集为 {}，{} 为 {}；不同数据上的运行不能比较"
    ),
    "the number of test images of {} is {} and of {} is {}; runs on different data cannot be "
    "compared": "{} 的测试图像数为 {}，{} 为 {}；不同数据上的运行不能比较",
    "the number of classes of {} is {} and of {} is {}; runs on different data cannot be compared": (
        "{} 的类别数为 {}，{} 为 {}；不同数据上的运行不能比较"
    ),
    "{} has no {}: the run is not finished. Go on with it with --resume.": (
        "{} 没有 {}：运行尚未结束。请用 --resume 继续。"
    ),
    "{} is not the result of a run: it has no 'schema'": "{} 不是运行结果：没有 'schema'",
    "{} has schema {}; this didact reads schema {}. Read it with the version of didact that wrote "
    "it.": "{} 的 schema 为 {}；当前 didact 读取 schema {}。请用写入它的版本读取。",
    "{} is of a run of kind {}; expected 'distill'": "{} 来自 {} 类的运行；应为 'distill'",
    "there is no folder {}; expected the folder of a run": "没有文件夹 {}；应为一次运行的文件夹",
    "{} is a file; expected the folder of a run": "{} 是文件；应为一次运行的文件夹",
    "{} is not a run folder: it has no {}, {} or {}. Pass the folder that didact distill wrote.": (
        "{} 不是运行文件夹：没有 {}、{} 或 {}。请给出 didact distill 写下的文件夹。"
    ),
    "there is no folder {}; expected a run folder or one of many": (
        "没有文件夹 {}；应为运行文件夹，或包含它们的文件夹"
    ),
    "{} holds no run: no {} in it or below. Pass what --output named.": (
        "{} 中没有运行：它及其子文件夹里没有 {}。请给出 --output 指定的文件夹。"
    ),
    "{} ends in {}; expected {}": "{} 以 {} 结尾；应为 {}",
    "there is no database {}; didact runs --to writes one": "没有数据库 {}；用 didact runs --to 写一个",
    "the database has no table {}; expected one that didact runs --to wrote": (
        "数据库中没有表 {}；应为 didact runs --to 写下的数据库"
    ),
    "{} is no URL of a database; expected such as sqlite:///runs.db or "
    "mysql+pymysql://user:password@host/database": (
        "{} 不是数据库的 URL；应形如 sqlite:///runs.db 或 mysql+pymysql://user:password@host/database"
    ),
    "{} {}... has {} characters; a database's key takes {}": "{} {}… 有 {} 个字符；数据库的键最多 {} 个",
    "the database says: {}": "数据库报告：{}",
}

_MEASURES = {
    "bits per byte": "每字节比特数",
    "mean absolute error": "平均绝对误差",
    "mean average precision": "平均精度均值",
}
for _name, _chinese in _MEASURES.items():
    TEXTS[f"seed {{}} {{}} epoch {{}}/{{}}  loss {{}}  validation {_name} {{}}"] = (
        f"种子 {{0}}  {{1!t}}  第 {{2}}/{{3}} 轮  损失 {{4}}  验证{_chinese} {{5}}"
    )
    TEXTS[f"[{{}}%] seed {{}} {{}} epoch {{}}/{{}}  loss {{}}  validation {_name} {{}}"] = (
        f"[{{0}}%] 种子 {{1}}  {{2!t}}  第 {{3}}/{{4}} 轮  损失 {{5}}  验证{_chinese} {{6}}"
    )
