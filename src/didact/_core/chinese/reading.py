"""Data sets, models and methods: what they are, and what is refused."""

TEXTS = {
    # Data sets
    "60,000 colour photographs in 10 classes, 10,000 of them the test set": (
        "60,000 张彩色照片，10 个类别，其中 10,000 张为测试集"
    ),
    "60,000 colour photographs in 100 classes, 10,000 of them the test set": (
        "60,000 张彩色照片，100 个类别，其中 10,000 张为测试集"
    ),
    "1,797 handwritten digits, comes with scikit-learn; 360 of them are the test set": (
        "1,797 张手写数字，随 scikit-learn 提供；其中 360 张为测试集"
    ),
    "70,000 pictures of clothes in ten kinds, 10,000 of them the test set": (
        "70,000 张服饰图片，10 类，其中 10,000 张为测试集"
    ),
    "70,000 handwritten digits, 10,000 of them the test set": (
        "70,000 张手写数字，其中 10,000 张为测试集"
    ),
    "your images in class folders: PATH/train/CLASS and PATH/test/CLASS, or PATH/CLASS": (
        "你的图像，按类别分文件夹：PATH/train/CLASS 与 PATH/test/CLASS，或 PATH/CLASS"
    ),
    "your images in one .npz: x and y, with x_test and y_test, or is_test, or neither": (
        "你的图像，在一个 .npz 中：x 与 y，可另有 x_test 与 y_test，或 is_test"
    ),
    "not stated by its authors; free to use for research, cite Krizhevsky 2009": (
        "作者未注明；可用于研究，请引用 Krizhevsky 2009"
    ),
    "get {} from {} and put them into {}": "请从 {1} 获取 {0}，放进 {2}",
    # Models
    "Fully connected layers with ReLU; mlp is mlp-256-128.": "全连接层加 ReLU；mlp 即 mlp-256-128。",
    "The same with dropout of a fifth of the pixels and half of the hidden units.": (
        "同上，训练时丢弃五分之一的像素和一半的隐藏单元（dropout）。"
    ),
    "Plain vision transformer; vit-16-768-12 is ViT-B/16.": (
        "普通的视觉 Transformer；vit-16-768-12 即 ViT-B/16。"
    ),
    "{}: images of {}x{} are no whole number of patches of {}x{}": (
        "{}：{}x{} 的图像不能整分成 {}x{} 的图块"
    ),
    "{}: the width is {}; expected a multiple of {}": "{}：宽度为 {}；应为 {} 的倍数",
    "{} is no vision transformer with the parts {} and blocks of {}; expected one of timm's, "
    "vit-PATCH-WIDTH-DEPTH, or your own with those names": (
        "{} 不是带有部件 {}、其块含有 {} 的视觉 Transformer；应为 timm 的模型、vit-PATCH-WIDTH-DEPTH，"
        "或部件同名的自有模型"
    ),
    "Three convolutions of width w, 2w, 4w; cnn is cnn-32.": (
        "三层卷积，宽度为 w、2w、4w；cnn 即 cnn-32。"
    ),
    "MobileNetV2 of half width and expansion 6, without the ImageNet strides.": (
        "半宽、扩展系数 6 的 MobileNetV2，去掉 ImageNet 的步长。"
    ),
    "ResNet of four stages with a 3x3 stem and no early pooling.": (
        "四段 ResNet，首层 3x3 卷积，开头不池化。"
    ),
    "CIFAR ResNet of depth 6n+2; x4 is four times wider, with a stem of 32 channels.": (
        "CIFAR 版 ResNet，深度 6n+2；x4 宽四倍，首层 32 通道。"
    ),
    "ShuffleNet with 3 groups, a 1x1 stem and no early pooling.": (
        "3 组的 ShuffleNet，首层 1x1 卷积，开头不池化。"
    ),
    "ShuffleNetV2 of width 1, with a 1x1 stem and no early pooling.": (
        "宽度 1 的 ShuffleNetV2，首层 1x1 卷积，开头不池化。"
    ),
    "A soft decision tree: linear filters that turn left or right, a class at each leaf.": (
        "软决策树：线性滤波器决定向左或向右，每个叶子给出类别分布。"
    ),
    "VGG with batch norm and one linear layer.": "带批归一化、一个线性层的 VGG。",
    "Wide ResNet of depth 6n+4 without dropout.": "Wide ResNet，深度 6n+4，无 dropout。",
    # Methods
    "The gradient is turned so that the average loss on exemplars does not rise.": (
        "修正梯度方向，使样例上的平均损失不上升。"
    ),
    "Distillation, then two numbers correct the logits of new classes.": (
        "先蒸馏，再用两个数校正新类别的 logits。"
    ),
    "A new backbone for each task beside the frozen old ones, then a balanced classifier.": (
        "每个任务新增一个主干，旧主干冻结，再训练均衡的分类器。"
    ),
    "A reservoir that remembers the logits too, and two batches of it in each step.": (
        "蓄水池同时记住 logits，每步从中取两批。"
    ),
    "Distillation task by task, then fine-tuning on as many images of each class.": (
        "逐任务蒸馏，再用各类等量的图像微调。"
    ),
    "Parameters are held where they were, each by its Fisher information.": (
        "按各参数的 Fisher 信息，把参数拉在原处。"
    ),
    "EWC with one anchor, the last one, and Fisher information that fades.": (
        "只用最近一个锚点的 EWC，Fisher 信息逐渐衰减。"
    ),
    "Trains on each task and does nothing against forgetting: the lower bound.": (
        "逐个任务训练，不做任何防遗忘：下界。"
    ),
    "A new backbone corrects the frozen old one, then both are distilled into one.": (
        "新主干修正冻结的旧主干，再把两者蒸馏成一个。"
    ),
    "The gradient is turned so that no earlier task's loss on its exemplars rises.": (
        "修正梯度方向，使每个旧任务样例上的损失都不上升。"
    ),
    "Herded exemplars, sigmoid distillation, nearest mean of exemplars.": (
        "herding 选样例，sigmoid 蒸馏，按最近的样例均值分类。"
    ),
    "Trains on the data of all tasks so far: the upper bound.": "用至今全部任务的数据训练：上界。",
    "Cosine classifier, features that keep their direction, margins for exemplars.": (
        "余弦分类器，特征保持方向，样例加间隔。"
    ),
    "The old model's answers on the new images are kept by distillation.": (
        "用蒸馏保持旧模型对新图像的回答。"
    ),
    "iCaRL's sigmoid distillation without exemplars; the classifier answers.": (
        "iCaRL 的 sigmoid 蒸馏，不存样例；由分类器回答。"
    ),
    "Parameters are held where they were, each by how much the output depends on it.": (
        "按输出对各参数的敏感程度，把参数拉在原处。"
    ),
    "A new last stage for each task on one shared body, then weight alignment.": (
        "共享主体，每个任务新增最后一段，再做权重对齐。"
    ),
    "Pooled features of every stage stay as they were; several vectors for each class.": (
        "各段池化后的特征保持不变；每类多个向量。"
    ),
    "Frozen backbone; ridge regression on random features, exact over all tasks.": (
        "冻结主干；随机特征上的岭回归，对全部任务精确。"
    ),
    "Each step trains on new images and as many from a reservoir of old ones (ER).": (
        "每步用新图像和等量的旧图像（蓄水池）训练（ER）。"
    ),
    "Parameters are held where they were, each by what moving it gained.": (
        "按移动各参数带来的收益，把参数拉在原处。"
    ),
    "{} expects a network that was trained before, and {} begins with random weights; give --model "
    "FILE.py:NAME, whose function loads some": (
        "{} 需要预先训练过的网络，而 {} 从随机权重开始；请给 --model FILE.py:NAME，由其中的函数载入权重"
    ),
    "A pre-trained network beside itself adapted to the first task; class means, cosine.": (
        "预训练网络与适配首个任务后的自身并用；类别均值，余弦比较。"
    ),
    "A pool of prompts for a frozen transformer; each image chooses the nearest by key.": (
        "冻结 Transformer 的提示池；每张图像按键选取最近的提示。"
    ),
    "Prompts as sums of components, weighted by attention; each task adds orthogonal ones.": (
        "提示由各分量按注意力加权求和；每个任务增加与之正交的分量。"
    ),
    "Prefixes for all tasks in the first blocks, for each task's own in the next.": (
        "前几块用各任务共享的前缀，其后几块用每个任务自己的前缀。"
    ),
    "the transformer has {} blocks, of which {} have general prompts and none is left for those of "
    "a task; give a smaller dualprompt.general": (
        "Transformer 有 {} 块，其中 {} 块用于共享提示，没有剩给任务提示的块；请减小 dualprompt.general"
    ),
    "The network learns slowly; its classifier is aligned on features drawn by class.": (
        "网络慢速学习；分类器在按类别采样的特征上对齐。"
    ),
    "Adapters for each task; old classes' means in new subspaces are put together.": (
        "每个任务一组适配器；旧类别在新子空间中的均值由新类别拼合而成。"
    ),
    "Frozen backbone; each class is the mean of its features, compared by cosine.": (
        "冻结主干；每类用特征均值表示，按余弦比较。"
    ),
    "Frozen backbone; class means and one covariance, updated sample by sample.": (
        "冻结主干；逐样本更新类均值和一个协方差。"
    ),
    "New images compete among new classes, exemplars among old ones; task-wise KD.": (
        "新图像只在新类别间竞争，样例只在旧类别间竞争；逐任务蒸馏。"
    ),
    "Distillation, then the new classes' weight vectors are cut to the old ones' length.": (
        "先蒸馏，再把新类别的权重向量缩到旧类别的长度。"
    ),
    "der++ stores each image with its logits as it comes; the memory is chosen by {}, expected "
    "'reservoir' or 'balanced'": (
        "der++ 随到随存图像及其 logits；记忆的挑选方式为 {}，应为 'reservoir' 或 'balanced'"
    ),
    "there is no booster in the first task": "第一个任务没有 booster",
    "there is no teacher in the first task": "第一个任务没有教师",
    "there is no teacher in the first task, or distils is not set": (
        "第一个任务没有教师，或没有设置 distils"
    ),
    "the classifier is {}; expected a CosineHead": "分类器为 {}；应为 CosineHead",
    "{} has no linear layer called classifier or no function features(images); a model that learns "
    "new classes needs both, with forward(images) = classifier(features(images))": (
        "{} 没有名为 classifier 的线性层，或没有函数 features(images)；要学新类别，两者都需要，且 "
        "forward(images) = classifier(features(images))"
    ),
    "{} is {}; expected one of {}": "{} 为 {}；应为 {} 之一",
    "{} is {}; expected at least {}": "{} 为 {}；应不小于 {}",
    "{} is {}; expected a number above 0": "{} 为 {}；应大于 0",
    "{} is {}; expected a subclass of didact.methods.Method": (
        "{} 为 {}；应为 didact.methods.Method 的子类"
    ),
    "{} has no option {}; {}": "{0} 没有选项 {1}；{2!t}",
    "{}.{} is {}; expected {}, such as {}": "{}.{} 为 {}；应为 {}，如 {}",
    # Data that is refused
    "batch_size is {}; expected at least 1": "batch_size 为 {}；应不小于 1",
    "rank is {} of {} processes; expected a rank in 0..world_size - 1": (
        "{1} 个进程中 rank 为 {0}；应在 0..world_size - 1 之间"
    ),
    "workers is {}; expected at least 0": "workers 为 {}；应不小于 0",
    "labelled is {} {}; expected bool {}, one for each image of the split": (
        "labelled 为 {} {}；应为 bool {}，每张图像一个"
    ),
    "mean and std have {} and {} numbers; expected {}, one per channel": (
        "mean 与 std 有 {} 与 {} 个数；应为 {} 个，每个通道一个"
    ),
    "std is {}; expected numbers above 0": "std 为 {}；应大于 0",
    "drop_last leaves no batch: there are {} images and a global batch has {}; make the batch "
    "smaller or keep the last one": (
        "drop_last 之后没有批次了：共 {} 张图像，全局批大小为 {}；请减小批大小，或保留最后一批"
    ),
    "epoch is {} and start is {}; expected an epoch of at least 0 and a start in 0..{}": (
        "epoch 为 {}，start 为 {}；epoch 应不小于 0，start 应在 0..{} 之间"
    ),
    "{} is empty; expected a Dataset of (image, label)": "{} 为空；应为 (图像, 标签) 的 Dataset",
    "{} has an image of shape {}; expected [C, H, W]": "{} 有形状为 {} 的图像；应为 [C, H, W]",
    "{} has an image of {}; expected uint8 or float": "{} 有类型为 {} 的图像；应为 uint8 或浮点",
    "{} has the label {}; expected a whole number": "{} 有标签 {}；应为整数",
    "{} is a {}; expected (image, label)": "{} 是 {}；应为 (图像, 标签)",
    "{} is a {} without a length; expected a map-style Dataset": (
        "{} 是没有长度的 {}；应为可按下标读取的 Dataset"
    ),
    "{}: item {} is {} {} and item 0 is {} {}; all images must have one size and type": (
        "{}：第 {} 项为 {} {}，第 0 项为 {} {}；所有图像的尺寸和类型必须相同"
    ),
    "{} has a {} as its image; expected a tensor [C, H, W]": "{} 的图像是 {}；应为张量 [C, H, W]",
    "{}: {} not found in {} and downloading is off; {}": "{0}：{2} 中没有 {1}，且已关闭下载；{3}",
    "{} could not be downloaded ({})": "{} 无法下载（{}）",
    "{} is a {}, not a function that returns data": "{} 是 {}，不是返回数据的函数",
    "{} returned a dict with {}; {}": "{0} 返回了含 {1} 的字典；{2!t}",
    "expected a didact.data.Data, (train, test), (train, validation, test), or a dict with the keys "
    "train, test and perhaps validation and class_names, of torch Datasets of (image, label)": (
        "应为 didact.data.Data、(train, test)、(train, validation, test)，或含 train、test（可另有 "
        "validation、class_names）的字典，值为 (图像, 标签) 的 torch Dataset"
    ),
    "{} cannot be read as an image ({}); delete it or replace it by a whole one": (
        "{} 不能读作图像（{}）；请删除，或换成完好的文件"
    ),
    "{} has pixels of mode {}; expected 8 bits per channel, grey or RGB": (
        "{} 的像素格式为 {}；应为每通道 8 位的灰度或 RGB"
    ),
    "{} has several pictures, an animation or pages; expected one: keep the frame that is meant": (
        "{} 含多张图（动画或多页）；应只有一张：请保留要用的那一帧"
    ),
    "{} says itself which of its labels may be used; leave labelled at 1.0": (
        "{} 自己规定了哪些标签可用；labelled 请保持 1.0"
    ),
    "resize is {}; expected a height and a width of at least 1 pixel": (
        "resize 为 {}；高和宽应至少 1 像素"
    ),
    "the data set is {}; expected {}": "数据集为 {}；应为 {}",
    "{}: there is no {} image": "{0}：没有 {1} 图像",
    "{}: there is only one class; a classifier needs two or more": (
        "{}：只有一个类别；分类器至少需要两个"
    ),
    "{}: {} training images are fewer than the {} classes": "{}：训练图像 {} 张，少于类别数 {}",
    "{}: class {} ({}) has no training image; labels must be 0..{}, and each class needs at least "
    "one image (numpy.unique(y, return_inverse=True)[1] renumbers labels that have gaps)": (
        "{}：类别 {}（{}）没有训练图像；标签须为 0..{}，每个类别至少一张图像"
        "（标签有间断时可用 numpy.unique(y, return_inverse=True)[1] 重新编号）"
    ),
    "the training images contain NaN or infinity; expected numbers": "训练图像含 NaN 或无穷；应为数",
    "count is {}; expected at least 0": "count 为 {}；应不小于 0",
    "exemplars are chosen by {}; expected one of {}": "样例的挑选方式为 {}；应为 {} 之一",
    "the memory has a total and a budget per class; give one of them": (
        "记忆同时给了总数和每类数；请只给一个"
    ),
    "the memory is {}; expected at least 0": "记忆大小为 {}；应不小于 0",
    "a memory of {} has not one exemplar for each of {} classes; expected at least {}, or the choice "
    "'reservoir'": "大小为 {} 的记忆不够 {} 个类别各存一个样例；应至少 {}，或选 'reservoir'",
    "herding needs features; pass features=network.features": (
        "herding 需要特征；请传 features=network.features"
    ),
    "{} has no list of names under {}": "{} 的 {} 下没有名字列表",
    "{}: {} lacks {}; extract {} again ({})": "{}：{} 缺少 {}；请重新解压 {}（{}）",
    "{} lacks {}; get it from {}": "{} 缺少 {}；可从 {} 获取",
    "{} has no array [N, {}] under 'data'": "{} 的 'data' 下没有数组 [N, {}]",
    "{} has no list of whole numbers under {}": "{} 的 {} 下没有整数列表",
    "{} has a label outside the classes: {}..{}": "{} 有超出类别范围的标签：{}..{}",
    "{} is damaged or incomplete ({}); delete it and get it again from {}": (
        "{} 已损坏或不完整（{}）；请删除后从 {} 重新获取"
    ),
    "{} begins with {}; expected '00 00 08 {}': an IDX file of bytes with {} dimension(s)": (
        "{} 以 {} 开头；应为 '00 00 08 {}'：{} 维的字节 IDX 文件"
    ),
    "{} ends inside its header; delete it and get it again": (
        "{} 在文件头中就结束了；请删除后重新获取"
    ),
    "{} is cut off: it announces {} = {} bytes and has {}; delete it and get it again": (
        "{} 被截断：应有 {} = {} 字节，实有 {}；请删除后重新获取"
    ),
    "{} is longer than it says: it announces {} = {} bytes and has {}; delete it and get it again": (
        "{} 比声明的长：应有 {} = {} 字节，实有 {}；请删除后重新获取"
    ),
    "{} is a file of {}, not of {}; put each set into a folder of its own, such as {}": (
        "{} 是 {} 的文件，不是 {} 的；请把每个数据集放进各自的文件夹，如 {}"
    ),
    "{}: {} has some of its files, but not {}; get them from {}": (
        "{}：{} 中有部分文件，但缺 {}；可从 {} 获取"
    ),
    "{} is damaged or incomplete ({}); delete it and get it again": (
        "{} 已损坏或不完整（{}）；请删除后重新获取"
    ),
    "{} is not the data file it should be: {}. Nothing in it was run; delete it and get it again "
    "from where it is published": (
        "{0} 不是应有的数据文件：{1!t}。没有运行其中任何内容；请删除后从发布处重新获取"
    ),
    "an array without a constructor": "有数组没有构造函数",
    "it holds an array of something else than uint8": "其中的数组不是 uint8",
    "it holds an array without bytes": "其中的数组没有内容",
    "it asks for {}.{}, which no data file needs": "它要用 {}.{}，而数据文件不需要这些",
    "it holds a {}, not a dictionary": "其中是 {}，不是字典",
    "there is no folder {}; expected folder:PATH with the path of one": (
        "没有文件夹 {}；应为 folder:PATH，PATH 为已有的文件夹"
    ),
    "{} has a folder train but no folder test; add {}, or put the class folders into {} itself to "
    "have a fifth of the images set aside": (
        "{} 有 train 文件夹但没有 test；请加上 {}，或把类别文件夹直接放进 {}（会留出五分之一作测试集）"
    ),
    "{} has no class folders; expected {}/CLASS/image.png": (
        "{} 中没有类别文件夹；应为 {}/CLASS/image.png"
    ),
    "{} has other classes than {}: {}": "{} 与 {} 的类别不同：{}",
    "{} has no image; expected files that end in {}": "{} 中没有图像；应为以 {} 结尾的文件",
    "{} is {} x {} pixels and {} is {} x {}; all images must have one size: give --resize 32 or the "
    "like": "{} 为 {} x {} 像素，{} 为 {} x {}；所有图像的尺寸必须相同：请用 --resize 32 之类",
    "there is no file {}; expected npz:PATH with the path of a .npz file": (
        "没有文件 {}；应为 npz:PATH，PATH 为 .npz 文件"
    ),
    "{}: label {} with only {} images; expected 0..K-1, and at least one image per class": (
        "{}：标签 {}，而只有 {} 张图像；标签应为 0..K-1，每类至少一张"
    ),
    "{}: is_test is {} {}; expected bool ({},)": "{}：is_test 为 {} {}；应为 bool ({},)",
    "{} has no {}; of {} it has {}": "{} 没有 {}；在 {} 中有 {}",
    "{} must have both x_test and y_test, or neither": "{} 中 x_test 与 y_test 须同时有或同时没有",
    "{} is damaged or not a .npz file of plain arrays ({}); write it with numpy.savez_compressed, "
    "without object arrays": (
        "{} 已损坏，或不是普通数组的 .npz 文件（{}）；请用 numpy.savez_compressed 写，不含对象数组"
    ),
    "{}: classes has shape {}; expected one name each": "{}：classes 的形状为 {}；应每类一个名字",
    "{} is one array; expected a .npz file with arrays x and y": (
        "{} 是单个数组；应为含数组 x 与 y 的 .npz 文件"
    ),
    "{} has elements of type {}; expected uint8 in 0..255": "{} 的元素类型为 {}；应为 0..255 的 uint8",
    "{} has shape {}; expected images with pixels": "{} 的形状为 {}；图像应有像素",
    "{} is {} of shape {}; expected integers [N], one class number per image": (
        "{0} 为形状 {2} 的 {1}；应为整数 [N]，每张图像一个类别号"
    ),
    "{}: image {} has label {}; expected 0 or more": "{}：图像 {} 的标签为 {}；应不小于 0",
    "{} has {} images and {} labels": "{} 有 {} 张图像、{} 个标签",
    "{} has shape {}; expected [N, H, W], [N, H, W, C] or [N, C, H, W] with 1 or 3 channels C": (
        "{} 的形状为 {}；应为 [N, H, W]、[N, H, W, C] 或 [N, C, H, W]，通道数 C 为 1 或 3"
    ),
    "{}: image {} has label {}; expected 0..{} ({} classes; {} labels are outside)": (
        "{}：图像 {} 的标签为 {}；应在 0..{} 之间（{} 个类别；{} 个标签越界）"
    ),
    "{}: labelled has shape {}; expected one bool for each of the {} training images": (
        "{}：labelled 的形状为 {}；应为 {} 张训练图像各一个 bool"
    ),
    "{}: {} images are {} and training images are {}; all must have one size": (
        "{}：{} 图像为 {}，训练图像为 {}；尺寸必须相同"
    ),
    "{}: {} images are {} and training images are {}; all must be of one type, or they would be "
    "normalised differently": ("{}：{} 图像为 {}，训练图像为 {}；类型必须相同，否则归一化会不同"),
    "labels are {}; expected one for each of the {} images": "标签为 {}；应为 {} 张图像各一个",
    "labels are {}; expected int64": "标签为 {}；应为 int64",
    "images are {}; expected [N, C, H, W]": "图像为 {}；应为 [N, C, H, W]",
    "images are {}; expected uint8 or float32": "图像为 {}；应为 uint8 或 float32",
    "image {} is {}; expected {} like the first one (all images must have one size)": (
        "图像 {} 为 {}；应与第一张相同，为 {}（所有图像尺寸必须相同）"
    ),
    "{}: validation={} of {} training images leaves some class without any; at most {} can be set "
    "aside": "{0}：从 {2} 张训练图像中留出 validation={1} 会使某个类别没有图像；最多可留出 {3}",
    "{}: labelled={} of {} images is less than one image; expected {} or more, one of each class": (
        "{}：labelled={}，共 {} 张图像，不足一张；应不小于 {}，即每类一张"
    ),
    "{}: labelled={} images are fewer than the {} classes; each class needs at least one": (
        "{}：labelled={} 张图像少于类别数 {}；每类至少一张"
    ),
    "label_noise is {}; expected a fraction in [0, 1)": "label_noise 为 {}；应为 [0, 1) 内的比例",
    "label_noise needs at least two classes": "label_noise 至少需要两个类别",
    "{} is {}; expected a fraction in {}, or a whole number of images above 1": (
        "{} 为 {}；应为 {} 内的比例，或大于 1 的图像张数"
    ),
    "{} is {}; expected a fraction below 1, or a whole number of images up to {}": (
        "{} 为 {}；应为小于 1 的比例，或不超过 {} 的图像张数"
    ),
    "there are {} domains; expected at least 1": "有 {} 个域；应不少于 1 个",
    "domains are {}; expected 'permuted', 'rotated' or 'groups'": (
        "domains 为 {}；应为 'permuted'、'rotated' 或 'groups'"
    ),
    "{} has no {} split; give a fraction for it": "{} 没有 {} 部分；请为它给一个比例",
    "class_order is {}; expected each class once: {}": (
        "class_order 为 {}；每个类别应恰好出现一次：{}"
    ),
    "groups say which classes come when; leave out base, step and tasks": (
        "groups 已规定类别的先后；请去掉 base、step 与 tasks"
    ),
    "there is no task; expected at least one group of classes": "没有任务；至少应有一组类别",
    "domains have {} classes; expected the same for each": "各域的类别数为 {}；应相同",
    "{} domains hold all classes; give their number as tasks": (
        "{} 域包含全部类别；请用 tasks 给出域的个数"
    ),
    "give either the number of tasks or base and step": "请给任务总数，或给 base 与 step",
    "{} tasks for {} classes; expected 1 to {}: each task needs a class of its own": (
        "{1} 个类别分成 {0} 个任务；应为 1 到 {2} 个：每个任务至少一个类别"
    ),
    "{} is {}; expected 1 to {}, the number of classes": "{} 为 {}；应在 1 到类别数 {} 之间",
    "class_order is {}; expected 'natural', 'seed', a seed such as 1993, or the labels in order": (
        "class_order 为 {}；应为 'natural'、'seed'、某个种子（如 1993），或按顺序写出标签"
    ),
    "task {} has no class; expected at least one for each task": "任务 {} 没有类别；每个任务至少一个",
    "task {} has class {}, of which there is no image": "任务 {} 有类别 {}，而没有它的图像",
    "task {} names a class twice: {}": "任务 {} 重复写了类别：{}",
    "class {} has no image to be evaluated on": "类别 {} 没有可供评估的图像",
    "{}: task {} has no {} image; expected at least one for each task": (
        "{}：任务 {} 没有 {} 图像；每个任务至少一张"
    ),
    "imbalance is {}; expected a fraction above 0 and at most 1": (
        "imbalance 为 {}；应为大于 0、不超过 1 的比例"
    ),
    "blurry is {}; expected a fraction of at least 0 and below 1": (
        "blurry 为 {}；应为不小于 0、小于 1 的比例"
    ),
    # Models that are refused
    "{} nodes make no full binary tree; expected 1, 3, 7, 15, ...: one less than a power of 2": (
        "{} 个节点构不成满二叉树；应为 1、3、7、15……，即 2 的幂减 1"
    ),
    "{} has no model {}; {}": "{0} 没有模型 {1}；{2!t}",
    "{} is a model that exists already, and every run must begin with a new one; give its class, or "
    "a function that builds it": (
        "{} 是已经建好的模型，而每次运行都要从新模型开始；请给它的类，或构建它的函数"
    ),
    "{} is a {}; expected a class or a function that gives an nn.Module": (
        "{} 是 {}；应为给出 nn.Module 的类或函数"
    ),
    "{} gives a {}; expected an nn.Module": "{} 给出 {}；应为 nn.Module",
    "{} gives an output of shape {} for one image; expected (1, {}): logits for {} classes. It is "
    "told so if it has a parameter num_classes": (
        "{} 对一张图像输出形状 {}；应为 (1, {})：{} 个类别的 logits。若它有参数 num_classes，就会收到类别数"
    ),
    "torchvision's models take 3 channels and these images have {}; timm:{} takes any number": (
        "torchvision 的模型要 3 个通道，而这些图像有 {} 个；timm:{} 可取任意通道数"
    ),
    "{}: image_shape is {}; expected (channels, height, width), each >= 1": (
        "{}：image_shape 为 {}；应为 (通道, 高, 宽)，各 >= 1"
    ),
    "{}: num_classes is {}; expected a whole number >= 1": "{}：num_classes 为 {}；应为 >= 1 的整数",
    "{} needs images of at least {}x{} and these are {}x{}; mlp takes images of any size": (
        "{} 要求图像至少 {}x{}，而这些为 {}x{}；mlp 可用任意尺寸"
    ),
    "{}: the sizes are {}; expected numbers from 1 to 65536": "{}：大小为 {}；应在 1 到 65536 之间",
    "{}: the depth is {}; expected 6n+2: 8, 14, 20, 32, 44, 56, 110": (
        "{}：深度为 {}；应为 6n+2：8、14、20、32、44、56、110"
    ),
    "{}: the depth is {}; expected 6n+4: 10, 16, 22, 28, 34, 40": (
        "{}：深度为 {}；应为 6n+4：10、16、22、28、34、40"
    ),
    "soft-tree-{} has 2^{} leaves; expected a depth from 1 to {}, such as soft-tree-5": (
        "soft-tree-{} 有 2^{} 个叶子；深度应在 1 到 {} 之间，如 soft-tree-5"
    ),
    "the model name {} is taken, or not of the form {}": "模型名 {} 已被占用，或不符合 {} 的形式",
    "the normalisation is {}; expected one number or one for each channel on both sides, those on "
    "the right above 0": "归一化为 {}；两边应各为一个数或每通道一个数，右边的大于 0",
    "the normalisation is {}; expected none, imagenet, data, or MEAN/STD such as 0.5/0.5 or "
    "0.49,0.48,0.45/0.25,0.24,0.26": (
        "归一化为 {}；应为 none、imagenet、data，或 均值/标准差，如 0.5/0.5 或 "
        "0.49,0.48,0.45/0.25,0.24,0.26"
    ),
    "{} takes {}; expected one input, the images": "{} 的输入为 {}；应只有一个输入，即图像",
    "{} cannot be loaded as TorchScript: {}": "{} 不能作为 TorchScript 载入：{}",
    "{} cannot be run by onnxruntime: {}": "{} 不能用 onnxruntime 运行：{}",
    "{} does not take images of shape {}: {}": "{} 不接受形状为 {} 的图像：{}",
    "{} holds a {}; expected a state dict, or a checkpoint with one: torch.save(model.state_dict(), "
    "FILE)": "{} 中是 {}；应为 state dict，或含有它的检查点：torch.save(model.state_dict(), FILE)",
    "{} has {}; expected weights, perhaps under {} or {}{}": "{} 中有 {}；应有权重，可放在 {} 或 {}{} 下",
    "{} is damaged or not a safetensors file ({}); use another copy of it": (
        "{} 已损坏，或不是 safetensors 文件（{}）；请换一份副本"
    ),
    "{} holds more than weights ({}), and loading that would run code from it. Where you trust it, "
    "write its weights alone: torch.save(model.state_dict(), FILE)": (
        "{} 中不只有权重（{}），载入会运行其中的代码。若你信任它，请只保存权重："
        "torch.save(model.state_dict(), FILE)"
    ),
    "{} is damaged or no file of torch.save ({})": "{} 已损坏，或不是 torch.save 的文件（{}）",
    "{} has no weights under {}; it has: {}": "{} 的 {} 下没有权重；它有：{}",
    "an object that is no tensor": "不是张量的对象",
    "the weights in {} do not fit {}: missing {}; unexpected {}; of other shape {}": (
        "{} 中的权重与 {} 不符：缺少 {}；多出 {}；形状不同 {}"
    ),
    "the weights in {} do not fit {}: missing {}; unexpected {}": (
        "{} 中的权重与 {} 不符：缺少 {}；多出 {}"
    ),
    "{} is a TIFF that says that it lies on its side; expected one that is upright: turn it and save "
    "it again, or save it as PNG": (
        "{} 是标明横置的 TIFF；应为正向的图片：请旋转后重新保存，或另存为 PNG"
    ),
    "the weights in {} do not fit: the model that it names is more than twice as large as they are "
    "({} tensors)": "{} 中的权重与其所称的模型不符：该模型比这些权重（{} 个张量）大一倍以上",
    "{} in {} has numbers of type {}, and the model has {} there; expected floating point. Weights "
    "that were quantised must be brought back to it first": (
        "{1} 中的 {0} 是 {2} 类型的数，而模型此处为 {3}；应为浮点数。量化过的权重须先还原为浮点数"
    ),
    "{} cannot be cut into a body and a last stage; expected a model of didact's zoo with two stages "
    "or more, such as resnet32 or cnn": (
        "{} 不能切成主体与最后一段；应为 didact 自带的、两段以上的模型，如 resnet32 或 cnn"
    ),
    "{} gives another output after its batch norms are folded: it uses what a convolution gives "
    "outside its modules; use it unfolded": (
        "{} 折叠批归一化之后输出变了：它在模块之外用了卷积的输出；请不要折叠"
    ),
    "the classifier has {} inputs and {} outputs; expected at least as many as that, not {} and {}": (
        "分类器有 {} 个输入、{} 个输出；应不少于此，而不是 {} 与 {}"
    ),
    "the head has {} inputs, {} classes and {} vectors for each; expected at least 1 input, 1 vector "
    "and no negative number of classes": (
        "分类头有 {} 个输入、{} 个类别、每类 {} 个向量；输入和向量应不少于 1，类别数不能为负"
    ),
    "the head grows by {} classes; expected at least 0": "分类头增加 {} 个类别；应不小于 0",
    "vectors is {}; expected {}": "vectors 为 {}；应为 {}",
    "no linear layer of {} gives its logits; a model that learns new classes ends in one, or has a "
    "linear layer called classifier and a function features(images), with forward(images) = "
    "classifier(features(images))": (
        "{} 的 logits 不是由线性层给出的；要学新类别，模型须以线性层结尾，或有名为 classifier 的线性层和函数 "
        "features(images)，且 forward(images) = classifier(features(images))"
    ),
    "{} gives {}; expected one tensor of logits (batch, classes)": (
        "{0} 给出 {1!t}；应为一个 logits 张量 (批, 类别)"
    ),
    "a tensor of shape {}": "形状为 {} 的张量",
    "{} ({}) does not take images of shape {}: {}": "{}（{}）不接受形状为 {} 的图像：{}",
    "kind is {}; expected 'linear', 'conv' or 'mlp'": "kind 为 {}；应为 'linear'、'conv' 或 'mlp'",
    "kind is {} and the features are {}; expected another kind": (
        "kind 为 {0}，而特征为 {1!t}；应换一种 kind"
    ),
    "feature maps (batch, channels, h, w)": "特征图 (批, 通道, 高, 宽)",
    "vectors (batch, channels)": "向量 (批, 通道)",
    "there is no pair of modules; give at least one (student, teacher) path": (
        "没有成对的模块；请至少给一对 (学生, 教师) 路径"
    ),
    "the student's feature is {} and the teacher's {}; expected two feature maps or two vectors: "
    "pool one of them, or tap another module": (
        "学生的特征为 {}，教师的为 {}；应同为特征图或同为向量：请池化其一，或换一个模块"
    ),
    "the student's feature is {} and the teacher's {}, as (batch, positions, channels); expected as "
    "many positions: bring them to one number first, or pool them": (
        "按 (批, 位置, 通道) 看，学生的特征为 {}，教师的为 {}；位置数应相同：请先统一数目，或做池化"
    ),
    "the student's feature is {} and the teacher's {}; expected no dimension of size 0": (
        "学生的特征为 {}，教师的为 {}；各维大小不应为 0"
    ),
    "{} has no module {}; {}": "{0} 没有模块 {1}；{2!t}",
    "its parts are {}": "其组成部分为 {}",
    "since is {}; expected 'best' or 'learned'": "since 为 {}；应为 'best' 或 'learned'",
    "side is {}; expected 'output' or 'input'": "side 为 {}；应为 'output' 或 'input'",
    "nothing passed through {}: call the model after tapping it. A compiled model must be tapped "
    "before its first call": (
        "没有数据经过 {}：请先接上 tap 再调用模型。编译过的模型须在首次调用之前接上"
    ),
    "the {} of {} is a {}; expected a tensor: choose its part with tap(..., index=0)": (
        "{1} 的 {0} 是 {2}；应为张量：用 tap(..., index=0) 选取其中一部分"
    ),
    "the {} of {} was overwritten in place by a later module, such as ReLU(inplace=True); tap that "
    "module instead, or build it with inplace=False": (
        "{1} 的 {0} 被后面的模块原地改写了，如 ReLU(inplace=True)；请改接那个模块，或用 inplace=False 构建"
    ),
    "{} is not tapped; {}": "{0} 没有接 tap；{1!t}",
    "a teacher is made of an nn.Module, not of {}": "教师由 nn.Module 构成，不能是 {}",
    "{} cannot be copied ({}: {}); Teacher(model, copy=False) freezes the model itself instead": (
        "{} 无法复制（{}：{}）；Teacher(model, copy=False) 会直接冻结模型本身"
    ),
    "got {} weights for {} teachers; give one for each": "{1} 个教师给了 {0} 个权重；请各给一个",
    "Teachers([]) has no teacher; give at least one model": (
        "Teachers([]) 中没有教师；请至少给一个模型"
    ),
    "the teachers' logits have the shapes {}; expected one shape: they must know the same classes": (
        "各教师 logits 的形状为 {}；应相同：它们的类别必须相同"
    ),
    "a teacher's weight is {}; expected a finite number above 0": "教师的权重为 {}；应为大于 0 的有限数",
    "{} knows {} classes and the student {}; expected the same classes in both: choose a teacher "
    "trained on the student's data": (
        "{} 有 {} 个类别，学生有 {} 个；两者应相同：请选用在学生的数据上训练的教师"
    ),
}
