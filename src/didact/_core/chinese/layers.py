"""Layer pairs, arrays in folders, lists and completion."""

TEXTS = {
    "from Python, not for --loss": "在 Python 中使用，不能用于 --loss",
    "your images or table as x.npy and y.npy of a folder, memory-mapped where large": (
        "你的图像或表格：文件夹中的 x.npy 与 y.npy，数据大时按内存映射读取"
    ),
    "there is no folder {}; expected npy:FOLDER with x.npy and y.npy": (
        "没有文件夹 {}；应为 npy:FOLDER，其中有 x.npy 和 y.npy"
    ),
    "{} is damaged or no .npy file of numbers ({}); write it with numpy.save": (
        "{} 已损坏，或不是数值的 .npy 文件（{}）；请用 numpy.save 写出"
    ),
    "{} has {} samples and {} labels": "{} 有 {} 个样本和 {} 个标签",
    "{} of student-layer and {} of teacher-layer; layers go in pairs, the first with the first: "
    "name equally many": (
        "student-layer 有 {} 个，teacher-layer 有 {} 个；层按次序成对，请给出同样多"
    ),
    "the {} {} has no batch norm, and this loss takes features before the ReLU; name a layer with "
    "--{}-layer, or take another loss": (
        "{0!t} {1} 没有批归一化层，而这个损失取 ReLU 之前的特征；请用 --{2}-layer 指定一层，或换一个损失"
    ),
    "{} of the {} is a {}; this loss takes what a batch norm with weight and bias gives, before the "
    "ReLU": ("{1!t}的 {0} 是 {2}；这个损失需要带权重和偏置的批归一化层在 ReLU 之前的输出"),
    "Install completion for the current shell.": "为当前的 shell 安装自动补全。",
    "Show completion for the current shell, to copy it or customize the installation.": (
        "显示当前 shell 的自动补全脚本，以便复制或自行安装。"
    ),
    "Defaults are for data of your own; digits, mnist, fashion-mnist, cifar10 and cifar100 have "
    "recipes of theirs.": (
        "所列默认值用于你自己的数据；digits、mnist、fashion-mnist、cifar10 与 cifar100 各有配方。"
    ),
}
