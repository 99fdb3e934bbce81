"""Trained models in use: what they answer, and what is refused."""

TEXTS = {
    # predict
    "Say what images show: the names of classes, and how probable they are.": (
        "说出图像是什么：类别的名称及其概率。"
    ),
    "Images are scaled until they cover the size that the model knows and cut at the centre; the "
    "normalisation is the model's own. Neither data nor training is needed. A file that cannot be "
    "read is said, the others are answered, and the command ends with 2.": (
        "图像先缩放到覆盖模型所认的尺寸，再居中裁剪；归一化用模型自己的。不需要数据，也不需要训练。"
        "读不了的文件会逐个说明，其余照常给出答案，命令以 2 结束。"
    ),
    "A run folder, an ONNX file, or a .safetensors file of didact.": (
        "运行文件夹、ONNX 文件，或 didact 的 .safetensors 文件。"
    ),
    "Image files, and folders of them.": "图像文件，或装有图像的文件夹。",
    "Of learn: another method than the one the run hands on.": (
        "仅用于 learn：改用另一种方法，而不是本次运行交付的那一种。"
    ),
    "Of learn: another seed.": "仅用于 learn：改用另一个种子。",
    "How many classes are named for each.": "每张图像列出几个类别。",
    "How to print the answers.": "答案的输出格式。",
    "Import the code that the run names, made by others.": "允许导入该运行所指的、由他人编写的代码。",
    "Export the best method's network (default: yes).": "导出最佳方法的网络（默认导出）。",
    "there is no run folder or file {}": "没有运行文件夹或文件 {}",
    "{} is one model; --method and --seed choose one of a run folder": (
        "{} 只有一个模型；--method 和 --seed 用于在运行文件夹中挑选"
    ),
    "{} is a run of didact distill; --method and --seed are of learn": (
        "{} 是 didact distill 的运行；--method 和 --seed 用于 learn"
    ),
    "{} is no model that says its classes; expected a run folder, an ONNX file or a .safetensors "
    "file of didact": (
        "{} 不是带有类别信息的模型；应为运行文件夹、ONNX 文件或 didact 的 .safetensors 文件"
    ),
    "{} has no {} yet; go on with: didact distill --resume {}": (
        "{} 还没有 {}；继续运行：didact distill --resume {}"
    ),
    "{} does not say which size of images it takes; export it with a fixed height and width": (
        "{} 没有说明所需的图像尺寸；请以固定的高和宽重新导出"
    ),
    "{} does not say its model, size of images, normalisation and classes; expected a file that "
    "didact wrote": ("{} 没有说明模型、图像尺寸、归一化和类别；应为 didact 写出的文件"),
    "there is no image file or folder {}": "没有图像文件或文件夹 {}",
    "{} has no image; expected files that end in {}": "{} 里没有图像；应有以 {} 结尾的文件",
    "the model takes {}; expected images with 1 or 3 channels": (
        "该模型的输入是 {}；应为 1 或 3 个通道的图像"
    ),
    "there is no image; expected one file or more": "没有图像；至少要有一个文件",
    "the images are {}; expected (N, {}), as those that were learned from": (
        "图像的形状是 {}；应为 (N, {})，与学习时的图像一致"
    ),
    "{} is damaged: its class names are no JSON": "{} 已损坏：其中的类别名称不是 JSON",
    # What a run hands on
    "no ONNX file: {}": "没有写出 ONNX 文件：{0!t}",
    "the model cannot be written as ONNX ({})": "该模型无法写成 ONNX（{}）",
    "the network in {} was built by {}, which cannot be called here: {}. Give what builds it, with "
    "any weights: model=Net in Python; in a run --model file.py:Net=WEIGHTS says builder and "
    "weights apart": (
        "{0} 里的网络由 {1} 构建，而它在这里无法调用：{2!t}。请给出构建网络的函数或类，权重随意："
        "Python 中写 model=Net；命令行用 --model file.py:Net=WEIGHTS 把构建者与权重分开写"
    ),
    "there is no run folder or file {} for the model": "没有作为模型的运行文件夹或文件 {}",
    "{} does not say which model it holds; name it: --model resnet56={}": (
        "{} 没有说明其中是哪个模型；请写明：--model resnet56={}"
    ),
    "the columns of the tasks are not those of the classes": "各任务的列与类别的列不一致",
    "mean and std are not one number for each channel, std above 0": (
        "mean 和 std 不是每个通道一个数，且 std 须大于 0"
    ),
    # Going on
    "natural, seed, a seed (1993 as the literature), or owl,cat,dog.": (
        "natural、seed、某个种子（文献用 1993），或 owl,cat,dog。"
    ),
    "A model name (`didact list models`), file.py:Name, or NAME=WEIGHTS.": (
        "模型名（`didact list models`）、file.py:Name，或 NAME=权重文件。"
    ),
    "Names of the classes that the weights know, in order: a,b,c or a file of lines.": (
        "权重已经认识的类别，按输出的顺序：a,b,c，或每行一个名称的文件。"
    ),
    "data, none, imagenet, or MEAN/STD: what images are normalised by.": (
        "data、none、imagenet 或 MEAN/STD：图像按什么归一化。"
    ),
    "Of the first task; 0 where the weights know it.": "第一个任务的轮数；权重已经学会时写 0。",
    "Add the new classes of --data to this finished run, or model.safetensors.": (
        "把 --data 里的新类别加到这次已完成的运行，或加到 model.safetensors。"
    ),
    "--continue needs --data with images of new classes": "--continue 需要 --data 给出新类别的图像",
    "what {} knows": "{} 已认识的类别",
    "{} known classes": "{} 个已知类别",
    "{}, then new ones": "{0!t}，然后是新类别",
    "{} is not finished; finish it with: didact learn --resume {}": (
        "{} 尚未完成；先把它跑完：didact learn --resume {}"
    ),
    "{} has {} to go on with and no {}, which would begin with a network alone; give them a run of "
    "their own": ("{} 里可以接着学的是 {}，没有 {}；后者只能从网络开始，请另开一次运行"),
    "{} does not say its model and its classes; begin with: --model NAME=FILE --known NAMES": (
        "{} 没有说明模型和类别；请这样开始：--model NAME=FILE --known NAMES"
    ),
    "there is no run folder or file {}; expected a finished run of didact learn, or its "
    "model.safetensors": (
        "没有运行文件夹或文件 {}；应为 didact learn 已完成的运行，或它的 model.safetensors"
    ),
    "there is no file {} to go on from": "没有可以接着学的文件 {}",
    "known classes are not learned again; leave out first-epochs": (
        "已知的类别不再重学；请去掉 first-epochs"
    ),
    "known is {}; expected different names": "known 为 {}；名称不能重复",
    "{} is of the first tasks; here some classes are known": (
        "{} 用于最初的任务；这里已经有一些已知类别"
    ),
    "classes are added to a model that knows some in scenario class, not {}": (
        "只有在 class 场景下才能给已有的模型增加类别，{} 场景不行"
    ),
    "the network was trained elsewhere, and nobody says how its images were normalised; give "
    "--normalise imagenet, none, or MEAN/STD such as 0.5/0.5": (
        "网络是在别处训练的，而没有说明它的图像如何归一化；请给出 --normalise imagenet、none，或 0.5/0.5 "
        "这样的 MEAN/STD"
    ),
    "{} learns from the images of all tasks at once, and the data has none of {}; give theirs too, "
    "or take a method that needs none, such as lwf": (
        "{0} 同时用所有任务的图像学习，而数据里没有 {1!t} 的图像；请一并给出，或改用不需要它们的方法，如 lwf"
    ),
    "{} keeps {} of the images of each class, and the data has none of {}; give theirs too, or take "
    "a method that needs none, such as lwf": (
        "{0} 要从每个类别的图像中保留 {1}，而数据里没有 {2!t} 的图像；请一并给出，或改用不需要它们的方法，"
        "如 lwf"
    ),
    "{} and {} more": "{} 等另外 {} 个",
    "{} has no exemplar of {} and replays none: it may forget them": (
        "{0} 没有 {1!t} 的样例，无从回放：可能会遗忘它们"
    ),
    "the network begins with random numbers in {}: without training of the first task it must come "
    "trained, head and all: --model file.py:Net=WEIGHTS, or a function that loads them": (
        "网络的 {0!t} 是随机数：第一个任务若不训练，网络（包括分类头）就必须已经训练好："
        "--model file.py:Net=WEIGHTS，或用一个会加载权重的函数"
    ),
    "{} has a classifier of its own kind in the place of the network's, and it must be trained: "
    "leave --first-epochs at 1 or more, or take a method that keeps the network's, such as lwf": (
        "{} 用自己的分类器替换了网络的分类头，它必须经过训练：请把 --first-epochs 设为 1 或更多，"
        "或改用保留原分类头的方法，如 lwf"
    ),
    "there is no {}: {} of seed {} cannot be continued. With its network alone go on by --continue "
    "model.safetensors": (
        "没有 {0}：方法 {1} 种子 {2} 无法接着学。只用其网络可以写 --continue model.safetensors"
    ),
    "the normalisation is of {} channels and the images have {}; expected one number or one for "
    "each channel": "归一化有 {} 个通道，而图像有 {} 个；应为一个数，或每个通道一个数",
    "there is no model in {}; expected a run folder, a .safetensors file of didact, or NAME=FILE "
    "with weights of any program": (
        "{} 里没有模型；应为运行文件夹、didact 的 .safetensors 文件，或 NAME=FILE（任何程序写出的权重）"
    ),
    "the normalisation is of {} channels and {} has {}; expected one number or one for each "
    "channel": ("归一化有 {0} 个通道，而 {1} 有 {2} 个；应为一个数，或每个通道一个数"),
    "{} is the run that is continued; name another with --output": (
        "{} 就是要接着学的那次运行；请用 --output 另指一个"
    ),
    "another number of threads rounds sums differently: bits may differ": (
        "线程数不同，求和的舍入就不同：结果可能不再逐位相同"
    ),
    "{} has two classes called {}; expected different names": (
        "{} 里有两个类别都叫 {}；名称不能重复"
    ),
    "{} has no class that is new: {} are known already; give images of others, or name those that "
    "come back with groups": (
        "{} 里没有新类别：{} 都已认识；请给出其他类别的图像，或用 groups 指明再次出现的类别"
    ),
    "{} has images of {} and the model takes {} (channels, height, width); give --resize, or "
    "images with as many channels": (
        "{} 的图像是 {}，而模型的输入是 {}（通道、高、宽）；请给出 --resize，或通道数相同的图像"
    ),
    "cannot read the names of classes from {}: {}": "无法从 {0} 读出类别名称：{1!t}",
    "{} says which classes it knows, and in which order; leave out known": (
        "{} 自己记有认识哪些类别及其顺序；请去掉 known"
    ),
    "{} has the weights of {}, which do not fit {}; leave out model, or give what builds the same "
    "network": "{} 里是 {} 的权重，与 {} 不符；请去掉 model，或给出能建出同一网络的模型",
    "the images are floats up to {}; expected floats in 0..1 (divide by 255), or uint8 in 0..255": (
        "图像是浮点数，最大为 {}；应为 0..1 的浮点数（除以 255），或 0..255 的 uint8"
    ),
    "the images are whole numbers of {}; expected uint8 in 0..255, or floats in 0..1": (
        "图像是 {} 类型的整数；应为 0..255 的 uint8，或 0..1 的浮点数"
    ),
    "the images have NaN or infinity among them; expected numbers alone": (
        "图像中有 NaN 或无穷大；应全为有限的数"
    ),
    "the features have NaN or infinity among them; expected numbers alone": (
        "特征中有 NaN 或无穷大；应全为有限的数"
    ),
    "no class is called {}; {}": "没有叫 {0} 的类别；{1!t}",
    "wa sets the negative weights of the classifier to 0, which a head that was trained without "
    "that may not survive; --option wa.clip_weights=false leaves it as it is": (
        "wa 把分类器的负权重置零，不是这样训练出来的分类头可能因此失效；--option wa.clip_weights=false 让它保持原样"
    ),
    # A learner by hand
    "the learner has learned nothing yet; call fit first": "还什么都没学；请先调用 fit",
    "known and continues are for didact.train.learn and continue_learning; Learner.load brings "
    "what they leave back": (
        "known 与 continues 用于 didact.train.learn 和 continue_learning；它们留下的结果用 Learner.load 取回"
    ),
    "{} learns from the images of all tasks at once, and earlier ones are gone; take another "
    "method, or didact learn": (
        "{} 同时用所有任务的图像学习，而先前的已经不在；请换一种方法，或用 didact learn"
    ),
    "class {} was not learned; known are {}": "类别 {} 没有学过；已知的是 {}",
    "the images are {}; expected {}, as those that were learned from": (
        "图像的形状是 {}；应为 {}，与学习时的图像一致"
    ),
    "features are learned with model={}; images with fit": ("特征要用 model={} 来学；图像用 fit"),
    'features are learned with model="features"; images with fit': (
        '特征要用 model="features" 来学；图像用 fit'
    ),
    "features are {} and there are {} labels; expected (samples, width) and one label for each "
    "sample": "特征的形状是 {}，标签有 {} 个；应为 (样本数, 宽度)，每个样本一个标签",
    "{} trains a network; features are learned by slda, ranpac or simplecil": (
        "{} 要训练网络；直接学特征的是 slda、ranpac 或 simplecil"
    ),
    "features are {} wide; expected {}": "特征的宽度是 {}；应为 {}",
    "there are {} images and {} labels": "有 {} 张图像、{} 个标签",
    "paths of images come without a size; give a folder, or arrays": (
        "图像路径没有尺寸信息；请给出文件夹或数组"
    ),
}
