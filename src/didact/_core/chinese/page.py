"""The report, and the evidence on the terminal."""

TEXTS = {
    # Verdicts
    "No test results yet.": "还没有测试结果。",
    "The distilled student is {} points above the student alone.": (
        "蒸馏的学生比单独训练的学生高 {} 个百分点。"
    ),
    "The distilled student is {} points below the student alone.": (
        "蒸馏的学生比单独训练的学生低 {} 个百分点。"
    ),
    "The distilled student is {} points above the student alone, but {}.": (
        "蒸馏的学生比单独训练的学生高 {0} 个百分点，但{1!t}。"
    ),
    "The distilled student is {} points below the student alone, but {}.": (
        "蒸馏的学生比单独训练的学生低 {0} 个百分点，但{1!t}。"
    ),
    "The distilled student and the student alone have the same test accuracy, but {}.": (
        "蒸馏的学生与单独训练的学生测试准确率相同，但{0!t}。"
    ),
    "all {} seeds gave the same difference, which gives no interval": (
        "{} 个种子的差值完全相同，得不出区间"
    ),
    "one seed gives no interval": "一个种子得不出区间",
    "one pair gives no interval and no test": "只有一对，得不出区间，也无法检验",
    "No difference shown: distilled minus alone is {} points.": (
        "没有显出差别：蒸馏减单独为 {} 个百分点。"
    ),
    "95% interval {} to {} points, {} ({}, {}).": (
        "95% 区间 {0} 至 {1} 个百分点，{2}（{3!t}，{4!t}）。"
    ),
    "95% interval {} to {} points includes zero, {} ({}, {}).": (
        "95% 区间 {0} 至 {1} 个百分点，包含零，{2}（{3!t}，{4!t}）。"
    ),
    "{} seeds; more seeds can show how sure this is.": "{} 个种子；更多种子才能说明有多大把握。",
    "1 seed; more seeds can show how sure this is.": "只有 1 个种子；更多种子才能说明有多大把握。",
    "paired t-test": "配对 t 检验",
    "Welch's t-test": "Welch t 检验",
    "{} seeds": "{} 个种子",
    "1 seed": "1 个种子",
    "The distilled student reaches {}%; there is no student alone to compare it with.": (
        "蒸馏的学生达到 {}%；没有单独训练的学生可比。"
    ),
    "The student alone reaches {}%; there is no distilled student to compare it with.": (
        "单独训练的学生达到 {}%；没有蒸馏的学生可比。"
    ),
    "The teacher reaches {}%; no student was trained.": "教师达到 {}%；没有训练学生。",
    "Test accuracy over {} seeds.": "{} 个种子的测试准确率。",
    "Test accuracy over 1 seed.": "1 个种子的测试准确率。",
    "It keeps {}% of the teacher's accuracy.": "它保留了教师准确率的 {}%。",
    "It keeps {}% of the teacher's accuracy with {} of its parameters.": (
        "它保留了教师准确率的 {}%，参数量为教师的 {}。"
    ),
    "It keeps {}% of the teacher's accuracy with {} of its latency.": (
        "它保留了教师准确率的 {}%，延迟为教师的 {}。"
    ),
    "It keeps {}% of the teacher's accuracy with {} of its parameters and {} of its latency.": (
        "它保留了教师准确率的 {}%，参数量为教师的 {}，延迟为教师的 {}。"
    ),
    # The evidence
    "This run is not finished.": "本次运行尚未结束。",
    "The page shows what there is so far. To go on with it:": "本页只显示目前已有的结果。继续运行：",
    "; to render the page again:": "；重新生成本页：",
    "The evidence": "证据",
    "Measure": "指标",
    "Teacher": "教师",
    "Student": "学生",
    "Student alone": "单独训练的学生",
    "Student distilled": "蒸馏的学生",
    "Student\nalone": "学生\n单独训练",
    "Student\ndistilled": "学生\n蒸馏",
    "Distilled\n− alone": "蒸馏\n− 单独",
    "Distilled − alone": "蒸馏 − 单独",
    "95% interval": "95% 区间",
    "{} to {}": "{} 至 {}",
    "Test accuracy, %": "测试准确率，%",
    "Same class as teacher, %": "与教师一致，%",
    "Agreement, %": "与教师一致，%",
    "KL from the teacher, nats": "与教师的 KL，nat",
    "KL from teacher": "与教师的 KL",
    "Calibration error (ECE), %": "校准误差（ECE），%",
    "ECE, %": "ECE，%",
    "Neg. log-likelihood, nats": "负对数似然，nat",
    "Brier score, 0 to 2": "Brier 分数，0 至 2",
    "Brier score": "Brier 分数",
    "Parameters": "参数量",
    "Size on disk": "文件大小",
    "Latency per batch": "每批延迟",
    "Latency per batch of {}": "每批（{} 张）延迟",
    "Latency / batch": "每批延迟",
    "Training, seconds": "训练，秒",
    "Training, s": "训练，秒",
    "Mean over {} seeds ± half of the 95% interval (Student t).": (
        "{} 个种子的均值 ± 95% 区间的一半（t 分布）。"
    ),
    "The difference pairs the seeds; its interval and p are of the paired t-test.": (
        "差值按种子配对；其区间与 p 来自配对 t 检验。"
    ),
    "One seed: no intervals and no test.": "只有一个种子：没有区间，也没有检验。",
    "All on the test split of {}.": "全部为 {} 测试集上的结果。",
    "All on the test split of {} ({} images).": "全部为 {} 测试集（{} 张）上的结果。",
    "All on the test split of {} ({} samples).": "全部为 {} 测试集（{} 个样本）上的结果。",
    "The teacher is {} networks; its costs are their sum.": "教师由 {} 个网络组成；开销为其总和。",
    "Latency is the median.": "延迟取中位数。",
    "Latency: median for a batch of {}.": "延迟：一批 {} 张的中位数。",
    # Seeds
    "Seed by seed": "逐个种子",
    "For each seed both students start from the same weights and take the same number of steps. "
    "The student alone sees the labelled images only; distilled, it sees them all.": (
        "对每个种子，两个学生从相同的权重出发，走相同的步数。单独训练时只看有标签的图像；蒸馏时看全部图像。"
    ),
    "seed {}": "种子 {}",
    "mean, 95%": "均值，95%",
    "Test accuracy, distilled − alone, points": "测试准确率，蒸馏 − 单独，百分点",
    "{}, distilled − alone": "{0!t}，蒸馏 − 单独",
    "{}, distilled − alone, points": "{0!t}，蒸馏 − 单独，百分点",
    "Test accuracy of the distilled student minus the student alone, in points: {}.": (
        "蒸馏的学生减单独训练的学生，测试准确率之差，百分点：{0!t}。"
    ),
    "How the seeds spread": "种子之间的离散程度",
    "Median, %": "中位数，%",
    "Quartiles": "四分位数",
    "IQR": "四分位距",
    "Lowest to highest": "最低至最高",
    "Outlying seeds": "离群种子",
    "Last accuracy, %": "最终准确率，%",
    "Read the median where a seed lies far from the others: it does not follow it, the mean does. "
    "Outlying is what lies more than 1.5 IQR (the distance of the quartiles) outside the quartiles; "
    "look at its curve before you leave it out.": (
        "有种子远离其余时看中位数：均值会被它带走，中位数不会。离群指超出四分位数 1.5 倍四分位距以上；"
        "剔除之前先看它的学习曲线。"
    ),
    "Intervals over seeds say nothing of other test images that could have been drawn.": (
        "种子之间的区间没有计入“换一批测试图像”的不确定性。"
    ),
    # On the same images
    "On the same images": "在相同的图像上",
    "Of the {} test images, the distilled student alone is right on {} and the student trained "
    "alone on {}: {} by McNemar's exact test.": (
        "{0} 张测试图像中，只有蒸馏的学生答对的有 {1} 张，只有单独训练的学生答对的有 {2} 张：{3}（McNemar "
        "精确检验）。"
    ),
    "Read it to compare two models that are there; the paired test above says whether the teacher "
    "helps whatever the seed.": (
        "它比较的是这两个现成的模型；上面的配对检验回答的是：换了种子，教师是否仍有帮助。"
    ),
    "Model": "模型",
    "Accuracy, %": "准确率，%",
    "95% over images": "95% 区间（图像）",
    "Vote of the seeds, %": "多个种子投票，%",
    "The models of seed {}.": "为种子 {} 的模型。",
    "The interval is Wilson's: how far the accuracy may be off because other test images could "
    "have been drawn, which the intervals over seeds leave out.": (
        "区间为 Wilson 区间：换一批测试图像，准确率可能偏离多少；种子之间的区间没有计入这一点。"
    ),
    "Whoever always says “{}”, the commonest class, is right on {}%.": (
        "永远回答“{}”（最常见的类别）的准确率为 {}%。"
    ),
    "Class by class": "逐个类别",
    "Class": "类别",
    "Test images": "测试图像",
    "Wrong": "错误",
    "Error rate, 95%": "错误率，95% 区间",
    "Most often taken for": "最常误认为",
    "below {}%": "低于 {}%",
    "{} to {}%": "{} 至 {}%",
    "The limits are Wilson's, and Poisson's where at most one image in ten is wrong: no error among "
    "265 images does not mean a rate of 0, but one below 1.13%.": (
        "区间为 Wilson 区间；错误不超过十分之一时为泊松区间："
        "265 张图像中没有错误，不等于错误率为 0，而是低于 1.13%。"
    ),
    # Curves and confidence
    "Learning curves": "学习曲线",
    "Epoch": "轮",
    "Validation accuracy, %": "验证准确率，%",
    "Training loss": "训练损失",
    "{} over epochs. At the last epoch: {}.": "{0!t}随训练轮数的变化。最后一轮：{1!t}。",
    "teacher {}, student alone {}, student distilled {}": (
        "教师 {}，单独训练的学生 {}，蒸馏的学生 {}"
    ),
    "student alone {}, student distilled {}": "单独训练的学生 {}，蒸馏的学生 {}",
    "teacher {}": "教师 {}",
    "student alone {}": "单独训练的学生 {}",
    "student distilled {}": "蒸馏的学生 {}",
    "teacher {}, student distilled {}": "教师 {}，蒸馏的学生 {}",
    "teacher {}, student alone {}": "教师 {}，单独训练的学生 {}",
    "Lines are means over the seeds; the bands reach from the lowest seed to the highest.": (
        "曲线为所有种子的均值；色带从最低的种子到最高的种子。"
    ),
    "Lines are means over the seeds and teachers; the bands reach from the lowest seed to the "
    "highest.": "曲线为所有种子、所有教师的均值；色带从最低到最高。",
    "The distilled student's training loss contains the teacher's term and is not comparable with "
    "the others'.": "蒸馏的学生的训练损失含有教师一项，不能与其他曲线比较。",
    "Can its confidence be trusted?": "它的置信度可信吗？",
    "On the diagonal, predictions made with 80% confidence are right 80% of the time; below it the "
    "model is too sure of itself.": (
        "在对角线上，置信度 80% 的预测有 80% 是对的；在对角线以下，模型过于自信。"
    ),
    "Larger dots hold more predictions.": "点越大，包含的预测越多。",
    "Confidence": "置信度",
    "Accuracy": "准确率",
    "Reliability diagram of {}: accuracy differs from confidence by {} points on average over {} "
    "predictions.": ("可靠性图，{0!t}：在 {2} 个预测上，准确率与置信度平均相差 {1} 个百分点。"),
    "teacher": "教师",
    "student alone": "单独训练的学生",
    "student distilled": "蒸馏的学生",
    # Disagreements
    "Where student and teacher disagree": "学生与教师不一致之处",
    "Test images that the distilled student of seed {} and the teacher put into different classes, "
    "with the confidence of each.": (
        "蒸馏的学生（种子 {}）与教师判为不同类别的测试图像，以及各自的置信度。"
    ),
    "Test images that the distilled student and the teacher put into different classes, with the "
    "confidence of each.": "蒸馏的学生与教师判为不同类别的测试图像，以及各自的置信度。",
    "✓ marks the one that is right.": "✓ 表示判对的一方。",
    "Test image {} of class {}": "测试图像 {}，类别 {}",
    "Test image of class {}": "测试图像，类别 {}",
    "no image": "无图像",
    "Truth": "真实",
    "right": "正确",
    # A soft decision tree
    "How the tree decides": "这棵树如何决策",
    "Each node looks at the image through its filter: pixels that are light in the filter turn it "
    "to the right, dark ones to the left.": (
        "每个节点用自己的滤波器看图像：落在滤波器亮处的像素使它向右，落在暗处的使它向左。"
    ),
    "The wider a branch, the more test images take it; below stand the class that most of them are "
    "given and their share.": (
        "分支越粗，走它的测试图像越多；下方是其中最多的类别，以及到达该处的图像所占比例。"
    ),
    "The upper {} of {} levels.": "图为 {1} 层中最上面的 {0} 层。",
    "The upper levels of the tree: a filter at each node, wider branches for more images.": (
        "树的上面几层：每个节点一个滤波器，分支越粗图像越多。"
    ),
    "Ways of some test images": "几张测试图像所走的路",
    "At each filter the side that the image takes and how sure the node is; at the end the leaf's "
    "class and its probability; an answer in red is wrong.": (
        "每个滤波器下面是图像走向哪一边、节点有多大把握；"
        "最后是叶子给出的类别及其概率，红色表示判错。"
    ),
    "node {}": "节点 {}",
    # How it was made
    "How it was made": "运行信息",
    "Data": "数据",
    "Loss": "损失函数",
    "Seeds": "种子",
    "the last": "最后一轮",
    "the best on the validation split; the test split had no say": (
        "验证集上最好的一轮；没有用测试集选择"
    ),
    "{}, {} training images ({} with labels), {} validation, {} test, {} classes, {}": (
        "{}，{} 张训练图像（{} 张有标签），{} 张验证图像，{} 张测试图像，{} 个类别，{}"
    ),
    "{}, {} training images ({} with labels), {}% of the labels replaced at random, {} validation, "
    "{} test, {} classes, {}": (
        "{}，{} 张训练图像（{} 张有标签），{}% 的标签被随机替换，{} 张验证图像，{} 张测试图像，"
        "{} 个类别，{}"
    ),
    "{}, {} parameters": "{}，{} 个参数",
    "{} (temperature {}, kd weight {})": "{}（温度 {}，蒸馏权重 {}）",
    "{} (options {}, temperature {}, kd weight {})": "{}（选项 {}，温度 {}，蒸馏权重 {}）",
    "checked against PyTorch": "已与 PyTorch 核对",
    "checked against PyTorch: largest difference of a logit {} over {} images": (
        "已与 PyTorch 核对：{1} 张图像上 logit 最大相差 {0}"
    ),
    "checked against PyTorch: largest difference of a logit {}": (
        "已与 PyTorch 核对：logit 最大相差 {}"
    ),
    "Versions and hardware": "版本与硬件",
    "cores": "核数",
    "threads": "线程",
    "device": "设备",
    "memory": "内存",
    "memory gib": "内存（GiB）",
    "started": "开始于",
    "took": "用时",
    "{} min {} s": "{} 分 {} 秒",
    "{} h {} min": "{} 小时 {} 分",
    "The whole configuration. To run it again:": "完整的配置。再次运行：",
    # Learning class after class
    "{} ends with {} over all classes.": "{} 最终在全部类别上达到 {}。",
    "{} ends with {} over all tasks, each told at test time.": (
        "{} 最终在全部任务上达到 {}（测试时告知任务）。"
    ),
    "{} ends with {} over all domains.": "{} 最终在全部域上达到 {}。",
    "Plain fine-tuning ends with {}, training on everything at once with {}: {} closes {}% of the "
    "gap.": "直接微调最终为 {}，一次学完全部数据为 {}：{} 补上了差距的 {}%。",
    "{}: {} at the end.": "{}：最终 {}。",
    "Not finished: 1 cell is missing.": "尚未结束：还缺 1 个单元。",
    "Not finished: {} cells are missing.": "尚未结束：还缺 {} 个单元。",
    "This run has not come to its end.": "本次运行尚未结束。",
    "A method has its numbers once one of its seeds is complete; until then its curve and its "
    "matrix end with the last complete task.": (
        "某个方法有一个种子跑完才有数字；在此之前，其曲线和矩阵止于最后一个完成的任务。"
    ),
    "Missing:": "还缺：",
    "To go on with it:": "继续运行：",
    "The methods": "各种方法",
    "Method": "方法",
    "Average incremental": "平均增量准确率",
    "Last": "最终",
    "Forgetting": "遗忘",
    "Backward transfer": "后向迁移",
    "Intransigence": "固执度",
    "Forward transfer": "前向迁移",
    "Seconds": "秒",
    "Kept in all": "总存储",
    "In percent.": "单位：%。",
    "In percent, mean over {} seeds ± half of the 95% interval (Student t).": (
        "单位：%，{} 个种子的均值 ± 95% 区间的一半（t 分布）。"
    ),
    "In percent, mean over the seeds that are complete ± half of the 95% interval (Student t).": (
        "单位：%，已跑完的种子的均值 ± 95% 区间的一半（t 分布）。"
    ),
    "Average incremental: the mean, over tasks, of the accuracy over all classes seen so far; the "
    "first task counts.": (
        "平均增量准确率：每个任务之后在已见全部类别上的准确率，再对任务取平均；第一个任务也算在内。"
    ),
    "Average incremental: the mean, over tasks, of the accuracy over all tasks, each told at test "
    "time seen so far; the first task counts.": (
        "平均增量准确率：每个任务之后在已见全部任务上的准确率（测试时告知任务），再对任务取平均；"
        "第一个任务也算在内。"
    ),
    "Average incremental: the mean, over tasks, of the accuracy over all domains seen so far; the "
    "first task counts.": (
        "平均增量准确率：每个任务之后在已见全部域上的准确率，再对任务取平均；第一个任务也算在内。"
    ),
    "Last, class-balanced: the mean of the accuracies of the classes.": (
        "最终，按类平均：各类别准确率的均值。"
    ),
    "Last, worst class: the lowest of them.": "最终，最差类别：其中最低的一个。",
    "Last, task told: from the same scores, one of the task's own classes.": (
        "最终，告知任务：用同样的得分，只在该任务自己的类别中选。"
    ),
    "Below a number: the 95% interval (Wilson) over other test images that could be drawn.": (
        "数字下方：换一批测试图像时的 95% 区间（Wilson）。"
    ),
    "Forgetting: the best earlier accuracy of a task minus the last one; counted from the accuracy "
    "right after the task, as Avalanche does, it is minus the backward transfer.": (
        "遗忘：一个任务此前最高准确率减最终准确率；若像 Avalanche 那样从刚学完该任务时算起，"
        "它就是后向迁移的相反数。"
    ),
    "Class-balanced accuracy, %": "按类平均准确率，%",
    "Balanced, %": "按类平均，%",
    "Accuracy of the worst class, %": "最差类别的准确率，%",
    "Worst, %": "最差类别，%",
    "Accuracy, task told, %": "告知任务的准确率，%",
    "Told, %": "告知任务，%",
    "Last, class-balanced": "最终，按类平均",
    "Last, worst class": "最终，最差类别",
    "Last, task told": "最终，告知任务",
    "after task {}, on task {}: {}% ({} to {})": "学完任务 {}，在任务 {} 上：{}%（{} 至 {}）",
    "{}, class {}: {}% ({} to {})": "{}，类别 {}：{}%（{} 至 {}）",
    "Which class is taken for which": "哪个类别被认作哪个类别",
    "Of the test images of each class (rows: labels), the share that is taken for each class "
    "(columns), at the end, in percent.": (
        "最终，每个类别（行：标签）的测试图像被认作各类别（列）的比例，%。"
    ),
    "{}% of class {}'s images are taken for class {}": "类别 {1} 的图像有 {0}% 被认作类别 {2}",
    "Confusion by class of {}": "{} 的类别间混淆",
    "The ten pairs of classes that are confused most, at the end, in percent of the test images of "
    "the class.": "最终混淆最多的十对类别，以该类别测试图像的百分比计。",
    "result.json has them all.": "全部数据在 result.json 中。",
    "Classes confused most by {}": "{} 混淆最多的类别",
    "Taken for": "被认作",
    "Kept in all: weights, exemplars and what else a method keeps, in one budget.": (
        "总存储：权重、样例以及方法保留的其他东西，合并计算。"
    ),
    "Task after task": "逐个任务",
    "Tasks learned": "已学任务数",
    "What is kept of each task": "每个任务记住了多少",
    "Accuracy in percent on each task (columns) after each task was learned (rows).": (
        "学完每个任务之后（行），在每个任务上（列）的准确率，%。"
    ),
    "A column that fades downwards is being forgotten.": "一列从上到下变浅，说明正在被遗忘。",
    "after {}": "学完 {}",
    "task {}": "任务 {}",
    "after task {}, on task {}: {}%": "学完任务 {}，在任务 {} 上：{}%",
    "Accuracy matrix of {}": "{} 的准确率矩阵",
    "Confusion by task of {}": "{} 的任务间混淆",
    "{}% of task {}'s images are taken for task {}": "任务 {1} 的图像有 {0}% 被认作任务 {2}",
    "Who is taken for whom": "谁被认作谁",
    "Of the test images of each task (rows), the share that is taken for a class of each task "
    "(columns), at the end.": ("最终，每个任务的测试图像（行）被认作各任务类别（列）的比例。"),
    "A dark last column is the bias to the newest classes.": "最后一列颜色深，说明偏向最新的类别。",
    "Accuracy in percent on the test images of each class (columns: labels) at the end, mean over "
    "the seeds.": "最终在每个类别（列：标签）的测试图像上的准确率，%，所有种子的均值。",
    "Accuracy in percent on the test images of each class (columns: labels) at the end.": (
        "最终在每个类别（列：标签）的测试图像上的准确率，%。"
    ),
    "Accuracy on each class": "每个类别的准确率",
    "{}, class {}: {}%": "{}，类别 {}：{}%",
    "Difference": "差值",
    "Of": "指标",
    "Points": "百分点",
    "average incremental accuracy": "平均增量准确率",
    "last accuracy": "最终准确率",
    "Paired t-tests: for each seed, all methods see the same tasks and the same images and start "
    "from the same weights.": (
        "配对 t 检验：对每个种子，所有方法见到相同的任务和图像，从相同的权重出发。"
    ),
    "What is kept in memory": "存储占用",
    "Weights": "权重",
    "Exemplars": "样例",
    "Their size": "样例大小",
    "Other": "其他",
    "In all": "合计",
    "Scenario": "场景",
    "Tasks": "任务",
    "Network": "网络",
    "Training": "训练",
    "Memory": "记忆",
    "Protocol": "协议",
    "{}, {} training, {} test": "{}，{} 张训练图像，{} 张测试图像",
    "class-incremental, {} tasks": "类增量，{} 个任务",
    "task-incremental, {} tasks": "任务增量，{} 个任务",
    "domain-incremental, {} tasks": "域增量，{} 个任务",
    "{} epochs for each task, batches of {}, learning rate {} ({}), augmentation: {}": (
        "每个任务 {} 轮，批大小 {}，学习率 {}（{}），数据增强：{}"
    ),
    "one pass for each task, batches of {}, learning rate {} ({}), augmentation: {}": (
        "每个任务只过一遍，批大小 {}，学习率 {}（{}），数据增强：{}"
    ),
    "{} exemplars of each class": "每类 {} 个样例",
    "{} exemplars in total, for the methods that keep some": "共 {} 个样例，供需要样例的方法使用",
    "Accuracy over the classes seen so far, after each task. At the end, in percent: {}.": (
        "每个任务之后在已见类别上的准确率。最终（%）：{}。"
    ),
    # The terminal
    "average": "平均",
    "last": "最终",
    "forgot": "遗忘",
    "seconds": "秒",
    "Accuracy in percent over all classes seen so far, after each task; average: over the tasks, "
    "the first one included; forgot: best earlier accuracy minus the last; {}.": (
        "每个任务之后在已见全部类别上的准确率，%；平均：对各任务，含第一个；遗忘：此前最高准确率减最终；{0!t}。"
    ),
    "Accuracy in percent over all tasks, each told at test time seen so far, after each task; "
    "average: over the tasks, the first one included; forgot: best earlier accuracy minus the last; "
    "{}.": (
        "每个任务之后在已见全部任务上的准确率（测试时告知任务），%；平均：对各任务，含第一个；"
        "遗忘：此前最高准确率减最终；{0!t}。"
    ),
    "Accuracy in percent over all domains seen so far, after each task; average: over the tasks, "
    "the first one included; forgot: best earlier accuracy minus the last; {}.": (
        "每个任务之后在已见全部域上的准确率，%；平均：对各任务，含第一个；遗忘：此前最高准确率减最终；{0!t}。"
    ),
    "mean over {} seeds ± half of the 95% interval": "{} 个种子的均值 ± 95% 区间的一半",
    "one seed, so no intervals": "只有一个种子，没有区间",
}
