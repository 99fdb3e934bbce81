"""Tables and other targets than one class, grids of runs, loggers."""

TEXTS = {
    # Help
    "What the labels are: single-label, soft-label (a probability for each class), multi-label or "
    "regression. By default what they look like.": (
        "标签的种类：single-label、soft-label（每类一个概率）、multi-label 或 regression。默认自动判断。"
    ),
    "Alpha with which samples are blended; 0.2 is usual.": "mixup 混合样本的 alpha；常用 0.2。",
    "Alpha with which a box is cut from another image; 1.": (
        "cutmix 从另一张图像剪贴一块的 alpha；常用 1。"
    ),
    "Of the loss on labels: balanced, or a number for each class: 1,1,5.": (
        "标签损失的类别权重：balanced，或每类一个数：1,1,5。"
    ),
    "shuffled, or balanced: each class comes equally often.": (
        "shuffled，或 balanced：各类别出现得一样多。"
    ),
    "The split of the evidence: test, or validation to choose settings by.": (
        "证据来自哪一部分：test，或 validation（用于选择设置）。"
    ),
    "csv, tensorboard, wandb, mlflow or file.py:MyLogger: where the numbers of each epoch go too. "
    "Repeatable.": "csv、tensorboard、wandb、mlflow 或 file.py:MyLogger：每轮的数字还要写到哪里。可重复。",
    "NAME=VALUE,VALUE: a run for each combination, as --grid temperature=1,4 --grid "
    "loss=kd,dist,kd+hint --grid dkd.beta=2,8. Repeatable.": (
        "NAME=VALUE,VALUE：每种组合运行一次，如 --grid temperature=1,4 --grid loss=kd,dist,kd+hint "
        "--grid dkd.beta=2,8。可重复。"
    ),
    "Of --grid: runs at a time (1).": "用于 --grid：同时运行的个数（1）。",
    "Of --grid: local, slurm (through submitit) or ray.": (
        "用于 --grid：local、slurm（通过 submitit）或 ray。"
    ),
    "NAME=VALUE, for submitit's executor (slurm_partition=gpu) or ray.remote (num_gpus=1, "
    "address=auto). Repeatable.": (
        "NAME=VALUE，传给 submitit（slurm_partition=gpu）或 ray.remote（num_gpus=1、address=auto）。"
        "可重复。"
    ),
    "Go on with this run folder, or the rest of this grid.": "接着跑这个运行文件夹，或这个网格剩下的部分。",
    "Runs with the same seeds are compared by a paired t-test, others by Welch's t-test; several tests "
    "are corrected by Holm's method.": (
        "种子相同的运行用配对 t 检验，其余用 Welch t 检验；多个检验用 Holm 方法校正。"
    ),
    "For example: didact compare runs/kd runs/dist runs/dkd --format latex": (
        "例如：didact compare runs/kd runs/dist runs/dkd --format latex"
    ),
    "Run folders of one kind, or the folder of a grid; the first run is the baseline.": (
        "同一种类的运行文件夹，或一个网格的文件夹；第一个运行是基线。"
    ),
    "What the first run is judged by, by default; test_accuracy, nll, ece, brier, agreement_top1, "
    "agreement_kl, mean_average_precision, mae, rmse, train_seconds. Of learn: average_incremental, "
    "last, forgetting or backward_transfer.": (
        "默认与第一个运行的主要指标相同；可选 test_accuracy、nll、ece、brier、agreement_top1、"
        "agreement_kl、mean_average_precision、mae、rmse、train_seconds。learn 的运行：average_incremental、"
        "last、forgetting 或 backward_transfer。"
    ),
    "teacher, alone or distilled (default); of learn, one method of each.": (
        "teacher、alone 或 distilled（默认）；learn 的运行则为各自的一种方法。"
    ),
    "Draw the means and intervals too: FILE.svg, FILE.png or FILE.pdf.": (
        "同时画出均值与区间：FILE.svg、FILE.png 或 FILE.pdf。"
    ),
    # Grids and loggers
    "{} could not be run: {}": "{0} 未能运行：{1!t}",
    "Best on the validation split: {}. Choose by it, with other seeds than those that you report.": (
        "验证集上最好的是：{}。请据此选择，并用不同于报告所用的种子。"
    ),
    "again: didact compare {}": "再次查看：didact compare {}",
    "fewer than two runs are complete: nothing to compare": "完成的运行不足两个：没有可比较的",
    "{} is no grid; --jobs and --launcher are for one": "{} 不是网格；--jobs 与 --launcher 用于网格",
    "--{} goes with --grid alone": "--{} 只能与 --grid 同用",
    "--launcher is {}; expected local, slurm or ray": "--launcher 为 {}；应为 local、slurm 或 ray",
    "--jobs is {}; expected at least 1": "--jobs 为 {}；应不小于 1",
    "--launcher-option is NAME=VALUE, as slurm_partition=gpu": (
        "--launcher-option 的写法为 NAME=VALUE，如 slurm_partition=gpu"
    ),
    "{} is a grid already; go on with --resume {}, replace it with --overwrite, or name another with "
    "--output": "{} 已是一个网格；用 --resume {} 继续，用 --overwrite 替换，或用 --output 另取名字",
    "{} is not empty and no grid; name another with --output": (
        "{} 不是空的，也不是网格；请用 --output 另取名字"
    ),
    "{} is not the folder of a grid: it has no {}": "{} 不是网格的文件夹：没有 {}",
    "{} does not say axes and settings; put it back as it was": (
        "{} 没有写明各轴与设置；请恢复原文件"
    ),
    "the grid has no axis; expected NAME=VALUE,VALUE, as temperature=1,2,4": (
        "网格没有轴；应写成 NAME=VALUE,VALUE，如 temperature=1,2,4"
    ),
    "{} is the same in all cells of a grid; give --{} once": (
        "{} 在网格的所有单元中相同；请只给一次 --{}"
    ),
    "the axis {} has no values; expected {}=VALUE,VALUE": "轴 {} 没有取值；应写成 {}=VALUE,VALUE",
    "--grid is {}; expected NAME=VALUE,VALUE, as temperature=1,2,4": (
        "--grid 为 {}；应写成 NAME=VALUE,VALUE，如 temperature=1,2,4"
    ),
    "the grid has {} twice": "网格中 {} 出现了两次",
    "the logger {} is a {} without log_metrics(metrics, step); expected what Lightning calls a Logger": (
        "记录器 {} 是没有 log_metrics(metrics, step) 的 {}；应为 Lightning 所说的 Logger"
    ),
    "{} is a {}; expected a class or function that is called with a folder, and gives an object with "
    "log_metrics(metrics, step)": (
        "{} 是 {}；应为以文件夹调用、给出带 log_metrics(metrics, step) 的对象的类或函数"
    ),
    "job {} ended unexpectedly ({}); what it printed lies in {}. Go on with --resume": (
        "作业 {} 意外结束（{}）；其输出在 {}。用 --resume 继续"
    ),
    "a process ended unexpectedly; was it out of memory? Go on with --resume, or with fewer --jobs": (
        "一个进程意外结束；是否内存不足？用 --resume 继续，或减少 --jobs"
    ),
    "a task of Ray ended unexpectedly ({}); go on with --resume": (
        "Ray 的一个任务意外结束（{}）；用 --resume 继续"
    ),
    "timm cannot make {}: {}": "timm 无法构建 {}：{}",
    # Other targets
    "this data is a table, and --augment {} is for images": "数据是表格，而 --augment {} 用于图像",
    "sampling is {}; expected ({},), one number of at least 0 for each image of the split, not all 0": (
        "sampling 为 {}；应为 ({},)，每张图像一个不小于 0 的数，且不全为 0"
    ),
    "mixup is {} and cutmix {}; expected alpha of a Beta distribution, at least 0 (0.2 and 1 are "
    "usual)": "mixup 为 {}，cutmix 为 {}；应为 Beta 分布的 alpha，不小于 0（常用 0.2 与 1）",
    "cutmix covers a box of an image, and this data is a table; --mixup": (
        "cutmix 剪贴图像的一块，而数据是表格；请用 --mixup"
    ),
    "{} has the label {}; expected a whole number, or several numbers": (
        "{} 有标签 {}；应为一个整数，或若干个数"
    ),
    "{} has the label {}, which is of another form than that of item 0; expected a class number in "
    "all of them, or equally many numbers": (
        "{} 有标签 {}，与第 0 项的形式不同；应全为类别号，或个数相同的数"
    ),
    "{} is a table; --resize is for images": "{} 是表格；--resize 用于图像",
    "label_noise is for single-label data; {} is {}": "label_noise 用于单标签数据；{} 为 {}",
    "your images or table in one .npz: x and y, with x_test and y_test, or is_test": (
        "你的图像或表格，在一个 .npz 中：x 与 y，可另有 x_test 与 y_test，或 is_test"
    ),
    "{} has elements of type {}; expected uint8 in 0..255, or the rows of a table, numbers [N, F]": (
        "{} 的元素类型为 {}；应为 0..255 的 uint8，或表格的行，即数 [N, F]"
    ),
    "{} is {} of shape {}; expected integers [N], one class number per image, or numbers [N, K]": (
        "{0} 为形状 {2} 的 {1}；应为整数 [N]（每张图像一个类别号），或数 [N, K]"
    ),
    "{} is {}; expected integers [N], one class number per image, or numbers [N, K]": (
        "{} 为 {}；应为整数 [N]（每张图像一个类别号），或数 [N, K]"
    ),
    "labels are {}; expected int64 [N], or float32 [N, K]": "标签为 {}；应为 int64 [N]，或 float32 [N, K]",
    "images are {}; expected [N, C, H, W], or rows [N, F]": "图像为 {}；应为 [N, C, H, W]，或表格行 [N, F]",
    "one class number per sample": "每个样本一个类别号",
    "a probability for each class [N, K]": "每类一个概率 [N, K]",
    "a probability for each class, which sum to 1": "每类一个概率，和为 1",
    "0 or 1 for each label [N, K]": "每个标签 0 或 1 [N, K]",
    "0 or 1 for each label": "每个标签 0 或 1",
    "numbers [N, K]": "数 [N, K]",
    "{}: the labels are {} and task is {}; expected {}": "{0}：标签为 {1}，task 为 {2}；应为{3!t}",
    "{}: labels are {} {}; expected float32 (N, {}) for {}": (
        "{0}：标签为 {1} {2}；{4} 应为 float32 (N, {3})"
    ),
    "{}: a step has 1 image, and the model's BatchNorm cannot train on one; give the task more "
    "images, keep exemplars (--memory), or take a model without BatchNorm": (
        "{}：一步里只有 1 张图像，模型中的 BatchNorm 无法用单张图像训练；请给该任务更多图像，保留样例（--memory），或换用没有 BatchNorm 的模型"
    ),
    "{}: sample {} has {}; expected {} ({}; {} samples are not of that form)": (
        "{0}：样本 {1} 为 {2}；应为{3!t}（{4}；有 {5} 个样本不符）"
    ),
    "{}: labels are {}; expected class numbers": "{}：标签为 {}；应为类别号",
    "{} is {}; classes are learnt from images with one class each": (
        "{} 为 {}；学新类别需要每张图像一个类别"
    ),
    "p-values are {}; expected numbers from 0 to 1": "p 值为 {}；应在 0 到 1 之间",
    "the model gives {} and the targets are {}; expected (samples, outputs) of both": (
        "模型给出 {}，目标为 {}；两者应为 (样本, 输出)"
    ),
    "the outputs or targets hold NaN or infinity; expected numbers": "输出或目标含 NaN 或无穷；应为数",
    "{} takes images, and the data is a table of {} columns; take mlp, mlp-64-32 or the like, or a "
    "model of your own: file.py:Name": (
        "{} 只接受图像，而数据是 {} 列的表格；请用 mlp、mlp-64-32 之类，或自己的模型 file.py:Name"
    ),
    "explains {} % of the variance": "解释了 {} % 的方差",
    "always saying the mean explains 0 %": "永远回答均值则解释 0 %",
    "has mean average precision {}": "平均精度均值（mAP）为 {}",
    "ranking at random has {}": "随机排序为 {}",
    "the teacher {} {} on {} validation samples, and {}. Normalisation was tried ({}). Likely it was "
    "trained for other targets, in other units or an other order, or never. --accept-teacher goes on "
    "anyway": (
        "教师 {0} 在 {2} 个验证样本上{1!t}，而{3!t}。已试过各种归一化（{4}）。很可能它的训练目标、单位或顺序"
        "不同，或从未训练。--accept-teacher 可强行继续"
    ),
    "class-weight is for classes and labels; task is regression": (
        "class-weight 用于分类；而 task 为 regression"
    ),
    "class-weight has {} numbers ({}) and {} has {} classes; expected one above 0 for each, or "
    "balanced": "class-weight 有 {} 个数（{}），而 {} 有 {} 个类别；应每类一个大于 0 的数，或 balanced",
    "sampling balanced is for classes and labels; task is regression": (
        "sampling balanced 用于分类；而 task 为 regression"
    ),
    "mixup and cutmix give it two": "mixup 与 cutmix 给它两个",
    "loss {} asks for one class of each sample, and {}; take another": (
        "损失 {0} 要求每个样本一个类别，而{1!t}；请换一个"
    ),
    "loss {} compares probabilities over classes, and task is {}; take {}, or one on features, or your "
    "own": "损失 {} 比较的是类别上的概率，而 task 为 {}；请用 {}，或特征损失，或自己的损失",
    "image_shape has two numbers; expected three, or one for a table": (
        "image_shape 有两个数；应为三个，表格则为一个"
    ),
    # Comparisons and reports
    "{} and {} are of different kinds, distill and learn; compare one kind": (
        "{} 与 {} 种类不同（distill 与 learn）；只能比较同一种"
    ),
    "there is {} method in these runs; expected two or more to compare": (
        "这些运行中只有 {} 种方法；比较需要两种以上"
    ),
    "Accuracy at the end, %": "最终准确率，%",
    "the {} of {} is {} and of {} is {}; runs of other streams cannot be compared": (
        "{1} 的 {0} 为 {2}，{3} 为 {4}；任务序列不同的运行不能比较"
    ),
    "the split that it is measured on of {} is {} and of {} is {}; runs on different data cannot be "
    "compared": "{} 在 {} 上测量，{} 在 {} 上测量；不同数据上的运行不能比较",
    "Holm: corrected for {} tests; the chance of any false alarm stays 5%.": (
        "Holm：已按 {} 个检验校正；出现任何误报的概率仍为 5%。"
    ),
    "Validation acc., %": "验证准确率，%",
    "Mean average precision, %": "平均精度均值（mAP），%",
    "F1, mean over labels, %": "F1（各标签平均），%",
    "F1, all decisions, %": "F1（全部判断），%",
    "Mean absolute error": "平均绝对误差",
    "Root mean squared error": "均方根误差",
    "Explained variance (R²)": "解释方差（R²）",
    "Same decision as teacher, %": "与教师判断一致，%",
    "Mean distance from teacher": "与教师的平均距离",
    "From teacher": "与教师的距离",
    "Validation, mean average precision, %": "验证集平均精度均值（mAP），%",
    "Validation, mean absolute error": "验证集平均绝对误差",
    "mean average precision": "平均精度均值",
    "mean absolute error": "平均绝对误差",
    "validation accuracy": "验证准确率",
    "test accuracy": "测试准确率",
    "The distilled student's {} is {} above that of the student alone.": (
        "蒸馏的学生的{0!t}比单独训练的学生高 {1}。"
    ),
    "The distilled student's {} is {} below that of the student alone.": (
        "蒸馏的学生的{0!t}比单独训练的学生低 {1}。"
    ),
    "The distilled student's {} is {} points above that of the student alone.": (
        "蒸馏的学生的{0!t}比单独训练的学生高 {1} 个百分点。"
    ),
    "The distilled student's {} is {} points below that of the student alone.": (
        "蒸馏的学生的{0!t}比单独训练的学生低 {1} 个百分点。"
    ),
    "The distilled student's {} is {}{} {} that of the student alone": (
        "蒸馏的学生的{0!t}：{1}{2}（{3!t}单独训练的学生）"
    ),
    "above": "高于",
    "below": "低于",
    "No difference shown: distilled minus alone is {}.": "没有显出差别：蒸馏减单独为 {}。",
    "95% interval {} to {}, {} ({}, {}).": "95% 区间 {0} 至 {1}，{2}（{3!t}，{4!t}）。",
    "95% interval {} to {} includes zero, {} ({}, {}).": (
        "95% 区间 {0} 至 {1}，包含零，{2}（{3!t}，{4!t}）。"
    ),
}

_WHY_NOT = {  # a value that is translated reaches to the end of the text: these are said in full
    "one seed gives no interval": "一个种子得不出区间",
    "all {} seeds gave the same difference, which gives no interval": (
        "全部 {{{0}}} 个种子给出的差别相同，得不出区间"
    ),
}
for _note, _chinese in _WHY_NOT.items():
    for _side, _word in (("above", "高"), ("below", "低")):
        for _unit, _points in (("", ""), (" points", " 个百分点")):
            TEXTS[
                f"The distilled student's {{}} is {{}}{_unit} {_side} that of the student alone, but "
                f"{_note}."
            ] = f"蒸馏的学生的{{0!t}}比单独训练的学生{_word} {{1}}{_points}，但{_chinese.format(2)}。"
    TEXTS[f"The distilled student and the student alone have the same {{}}, but {_note}."] = (
        f"蒸馏的学生与单独训练的学生{{0!t}}相同，但{_chinese.format(1)}。"
    )
