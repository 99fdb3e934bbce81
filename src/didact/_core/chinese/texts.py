"""Language models: vocabularies, texts, and the cache of a teacher."""

TEXTS = {
    # Vocabularies
    "{} is no tokenizer that is known; expected one with get_vocab() (tokenizers, transformers), of "
    "sentencepiece or tiktoken, or a mapping from token to id": (
        "{} 不是已知的分词器；应带有 get_vocab()（tokenizers、transformers），"
        "或来自 sentencepiece、tiktoken，或为词元到编号的映射"
    ),
    "id {} stands for two tokens, {} and {}; expected one token for each id": (
        "编号 {} 对应两个词元 {} 和 {}；每个编号应只有一个词元"
    ),
    "the tokenizer has no tokens; expected a vocabulary": "分词器没有词元；应有词表",
    "teacher_logits is {}; expected (..., {}), the classes that the teacher was paired with": (
        "teacher_logits 为 {}；应为 (..., {})，即配对时教师的类别数"
    ),
    "{} tokens of the {} have no row in its {} classes, the first {} with id {}; expected its own "
    "tokenizer": "{1!t}的 {0} 个词元在其 {2} 个类别中没有对应的行，第一个是 {3}，编号 {4}；应为它自己的分词器",
    "{} of {} ids mean another token to the teacher: {}. The teacher would read other words; take a "
    "teacher of the same tokenizer": (
        "{1} 个编号中有 {0} 个对教师而言是别的词元：{2!t}。教师读到的将是别的词；请用同一分词器的教师"
    ),
    "{} is {} to the student and {} to the teacher": "{} 对学生是 {}，对教师是 {}",
    "no id has a token on both sides; expected tokenizers of one family": (
        "没有一个编号在两边都有词元；两个分词器应属同一家族"
    ),
    # Texts
    "the text is {}; expected pydoc or text:PATH": "文本为 {}；应为 pydoc 或 text:路径",
    "there is no text in {}; expected files ending in {}": "{} 中没有文本；文件名应以 {} 结尾",
    "there is no file or folder {}; expected text:PATH of one that is": (
        "没有文件或文件夹 {}；text:路径 应指向已有的文件或文件夹"
    ),
    "{} is not UTF-8; bring it to that encoding, such as by iconv -f GB18030 -t UTF-8": (
        "{} 不是 UTF-8 编码；请转成该编码，例如用 iconv -f GB18030 -t UTF-8"
    ),
    "there is no text in {}: its files hold nothing": "{} 中没有文本：文件是空的",
    "line {} of {} is no object with a text; expected {} on each line": (
        "{1} 第 {0} 行不是带有 text 的对象；每行应为 {2}"
    ),
    "the vocabulary has {} tokens; expected 257 or more, the bytes and an end": (
        "词表有 {} 个词元；应不少于 257 个：全部字节和结束符"
    ),
    "there is no {}; expected a tokenizer.json of the library tokenizers": (
        "没有 {}；应为 tokenizers 库的 tokenizer.json"
    ),
    "{} is no tokenizer that can be read: {}": "{} 不是可读取的分词器：{}",
    "the text has {} tokens and a window {}; expected more text, or a shorter window": (
        "文本有 {} 个词元，窗口为 {}；应有更多文本，或更短的窗口"
    ),
    "{} holds no model of transformers: it has no config.json": (
        "{} 中没有 transformers 的模型：缺少 config.json"
    ),
    "{} cannot be read by transformers: {}": "transformers 无法读取 {}：{}",
    "{} holds a model without its tokenizer; expected {} beside it: copy them from where the model is "
    "from, or save them with tokenizer.save_pretrained": (
        "{} 中有模型而没有分词器；旁边应有 {}：请从模型的来源复制，"
        "或用 tokenizer.save_pretrained 保存"
    ),
    "warning: the tokenizer of {} has {} tokens and the model vectors for {}; they may not belong "
    "together": "警告：{} 的分词器有 {} 个词元，模型只有 {} 个词元的向量；两者可能不配套",
    "warning: {} % of the tokens are unknown to the tokenizer of {}; it cannot tell these texts from "
    "each other": "警告：{1} 的分词器不认识 {0} % 的词元；它无法区分这些文本",
    "the tokenizer gave the id {} and the model has vectors for {} tokens; expected the tokenizer that "
    "the model was trained with": (
        "分词器给出编号 {}，而模型只有 {} 个词元的向量；应使用训练该模型时的分词器"
    ),
    # The cache
    "{} is no cache of a teacher: it has no {}. Make one with didact cache build": (
        "{} 不是教师缓存：缺少 {}。请用 didact cache build 建立"
    ),
    "{} is of format {}; this didact reads {}": "{} 的格式为 {}；此版 didact 读取 {}",
    "{} was begun with another {}: {} there, {} now. Take another folder, or remove this one": (
        "{0} 是以另一个{1!t}开始的：那里为 {2}，现在为 {3}。请换一个文件夹，或删除它"
    ),
    "teacher (weights)": "教师（权重）",
    "tokenizer": "分词器",
    "row {} is {}; expected int64 token ids": "第 {} 行为 {}；应为 int64 的词元编号",
    "row {} is {}; expected the token ids of one text, (tokens,)": (
        "第 {} 行为 {}；应为一段文本的词元编号，形状 (tokens,)"
    ),
    "there are no rows; expected the token ids of at least one text": (
        "没有行；至少应有一段文本的词元编号"
    ),
    # Asking a model, and the objective
    "the model gave {} for token ids {}; expected logits (batch, tokens, classes), alone or as "
    ".logits of its output": (
        "对词元编号 {1}，模型给出 {0}；应为 logits (batch, tokens, classes)，直接给出或作为输出的 .logits"
    ),
    "a cache has a tokenizer of its own; leave out teacher_tokenizer": (
        "缓存自带分词器；请去掉 teacher_tokenizer"
    ),
    "one tokenizer alone cannot be compared; pass tokenizer and teacher_tokenizer, or neither": (
        "只有一个分词器无从比较；请同时传 tokenizer 和 teacher_tokenizer，或都不传"
    ),
    "the student is the teacher; pass a copy of it as one of them": (
        "学生就是教师本身；请为其中之一传一份副本"
    ),
    "the student has {} classes and the teacher {}; pass the tokenizers, so that it can be seen "
    "whether the ids mean the same tokens": (
        "学生有 {} 个类别，教师有 {} 个；请传入分词器，以便判断编号是否代表相同的词元"
    ),
    "the teacher kept class {} and the student has {} classes; expected ids that both know": (
        "教师保留了类别 {}，而学生有 {} 个类别；编号应为双方都有的"
    ),
    # Bridges
    "whether its ids mean the same to the teacher is not known": "编号对教师是否代表相同的词元，无从得知",
    "{}; pass teacher_tokenizer and processing_class": (
        "{0!t}；请传 teacher_tokenizer 和 processing_class"
    ),
    "no teacher speaks; pass one, or its embeddings as labels": (
        "没有教师的输出；请传入教师，或把它的句向量作为标签"
    ),
    "hidden is {} and weight {}, an empty batch; expected at least one token and one class. Skip the "
    "step when nothing is left of a batch.": (
        "hidden 为 {}，weight 为 {}，批次为空；应至少有一个词元和一个类别。批次为空时请跳过这一步。"
    ),
    "k is {}; expected a whole number, 1 or more": "k 为 {}；应为不小于 1 的整数",
    "the model cannot read {} tokens with ids up to {} ({}); give it shorter texts, such as a smaller "
    "window, and the ids of its own tokenizer": (
        "模型读不了 {} 个词元、编号到 {} 的文本（{}）；请给较短的文本（如较小的窗口），并用它自己的分词器的编号"
    ),
    "the window is {}; expected 2 tokens or more, one to be predicted": (
        "窗口为 {}；应不少于 2 个词元，以便有一个可预测"
    ),
    "rows is {}; expected 1 or more": "rows 为 {}；应不小于 1",
    "the text is for the teacher to read again; add --teacher": "文本是给教师重读的；请加上 --teacher",
    "the window is {} and the rows of {} have {} tokens; leave out --window": (
        "窗口为 {}，而 {} 的行有 {} 个词元；请去掉 --window"
    ),
    "{} is a file; expected a folder, or the name of a new one": (
        "{} 是文件；应为文件夹，或一个新名字"
    ),
    "Tokens of a row (512); of verify those of the cache.": "每行的词元数（512）；verify 时为缓存的行长。",
    "{} is no id; expected a mapping from token to id, 0 or more": (
        "{} 不是编号；应为从词元到编号（不小于 0）的映射"
    ),
    "temperatures is empty; expected one or more, such as (1.0,)": (
        "temperatures 为空；应至少有一个，例如 (1.0,)"
    ),
    "{} is {}; expected 1 or more": "{} 为 {}；应不小于 1",
    "input_ids is {}; expected the token ids of a batch, int64": (
        "input_ids 为 {}；应为一个批次的词元编号，int64"
    ),
    "input_ids is {}; expected (batch, tokens)": "input_ids 为 {}；应为 (batch, tokens)",
    # The kernel
    "PyTorch's Triton cannot be used on {}: {}": "PyTorch 自带的 Triton 无法用于 {}：{}",
    "PyTorch's Triton gives wrong numbers on {}": "PyTorch 自带的 Triton 在 {} 上算出的数不对",
    # Files
    "it has not the arrays that its cache has": "其中的数组与缓存应有的不符",
    "the teacher is a function, whose weights cannot be seen; pass digest=, a text that is another "
    "for another teacher": "教师是函数，看不到权重；请传 digest=，一段随教师而异的文字",
    "ids is {}; expected 'packed' or 'int32'": "ids 为 {}；应为 'packed' 或 'int32'",
    "logits is {}; expected one of {}": "logits 为 {}；应为 {} 之一",
    "the teacher knows {} classes; at most {}": "教师有 {} 个类别；最多 {} 个",
    "the tokenizer has ids up to {} and the teacher knows {} classes; expected the teacher's own "
    "tokenizer": "分词器的编号到 {} 为止，教师有 {} 个类别；应为教师自己的分词器",
    "{} holds something else than a cache; take a folder of its own": (
        "{} 中是别的东西，不是缓存；请另用一个文件夹"
    ),
    "its head is longer than the file": "文件头比文件还长",
    "it is cut off": "文件不完整",
    "it has no digest": "没有摘要",
    "{} is not finished: {} of {} files are missing; go on with the command that began it": (
        "{0} 尚未完成：{2} 个文件中缺 {1} 个；请再次执行开始时的命令"
    ),
    "{} is of another teacher: its weights have another digest than those of {}; build a cache of "
    "this one": "{} 属于另一个教师：权重的摘要与 {} 的不同；请为此教师另建缓存",
    "the one that was run": "当时运行的那个",
    "temperature is {}; {} knows {} only. Take one of these, or build it with this one": (
        "temperature 为 {}；{} 只知道 {}。请取其一，或以此温度重建"
    ),
    "{} was built without a tokenizer: it cannot be told whether the ids mean the same; build it "
    "with the tokenizer": "{} 建立时没有分词器：无法判断编号是否同义；请带上分词器重新建立",
    "token_ids is {} of {}; expected (batch, tokens) of int64": (
        "token_ids 为 {}，类型 {}；应为 int64 的 (batch, tokens)"
    ),
    "{} rows for {} texts; expected one for each": "{} 个行号对 {} 段文本；应一一对应",
    "against needs rows; pass the token ids of some": "against 需要 rows；请传若干行的词元编号",
    "row {} of the batch is none that the teacher saw ({} tokens, the first {}); expected rows of the "
    "data of {}, cut and padded as they were": (
        "批中第 {} 行是教师没见过的（{} 个词元，开头为 {}）；应为 {} 的数据中的行，切分与填充须相同"
    ),
    "row {} of {} is of other token ids than those of the batch: another order or other data. Pass "
    "the rows that belong to the batch": (
        "{1} 的第 {0} 行与批中的词元编号不同：顺序或数据不同。请传与批相符的行号"
    ),
    "a row is cut off": "有一行不完整",
    "row is {}; expected 0 to {}": "行号为 {}；应从 0 到 {}",
    "it belongs to another cache, or to another place": "它属于另一个缓存，或应在别的位置",
    # Converters
    "the source is {}; expected one of {}, and :PLACE": "来源为 {}；应为 {} 之一，后接 :位置",
    "how many classes the teacher knows is not in the file; pass classes": (
        "文件中没有教师的类别数；请传 classes"
    ),
    "temperature is {}; {} has log-probabilities at temperature 1 alone": (
        "temperature 为 {}；{} 只有温度为 1 时的对数概率"
    ),
    "class {} is spoken of and the teacher knows {}; pass classes, or its own tokenizer": (
        "出现了类别 {}，而教师只有 {} 个；请传 classes，或用教师自己的分词器"
    ),
    "there is no {}; expected a folder that DistillKit's sample-logits has written": (
        "没有 {}；应为 DistillKit 的 sample-logits 写出的文件夹"
    ),
    "{} is not of the form that was expected: {}": "{} 不是预期的格式：{}",
    "a token has classes that are none, or log-probabilities that are no numbers; the files and {} do "
    "not belong together": "某个词元的类别不存在，或对数概率不是数；这些文件与 {} 不属于一起",
    "there are no parquet files in {}; expected those of DistillKit": (
        "{} 中没有 parquet 文件；应为 DistillKit 写出的文件"
    ),
    "{} is no parquet file that can be read: {}": "{} 不是可读取的 parquet 文件：{}",
    "{} has no column {}; expected {}. Of other forms the normaliser is not known": (
        "{} 没有列 {}；应有 {}。其他格式的归一化常数无从得知"
    ),
    "row {} of {}: {} tokens and {} x {} bytes of {}; expected {} bytes for each token but perhaps the "
    "last, by {}": (
        "{1} 第 {0} 行：{2} 个词元，{5} 为 {3} x {4} 字节；按 {7}，每个词元（或除最后一个外）应有 {6} 字节"
    ),
    "{} says nothing of any token; expected log-probabilities": "{} 中没有任何词元的信息；应有对数概率",
    "k is {}, and of a token only {} classes are known; lower it": (
        "k 为 {}，而有的词元只知道 {} 个类别；请调小"
    ),
    "line {} of {} is no JSON object: {}": "{1} 第 {0} 行不是 JSON 对象：{2}",
    "prompt_token_ids and prompt_logprobs": "prompt_token_ids 和 prompt_logprobs",
    "input_ids, target_token_ids and target_logprobs": (
        "input_ids、target_token_ids 和 target_logprobs"
    ),
    "row {} of {} has the token {} and the teacher knows {}; pass classes, or its own tokenizer": (
        "{1} 的第 {0} 行有词元 {2}，而教师只有 {3} 个类别；请给出 classes，或教师自己的分词器"
    ),
    "nothing is said at position {}": "位置 {} 处什么也没有",
    "class {} has {}, which is no log-probability": "类别 {} 的值是 {}，不是对数概率",
    "line {} of {} has not the form that was expected ({}): {}": (
        "{1} 第 {0} 行的形式与预期（{2!t}）不符：{3!t}"
    ),
    "line {} of {} has {} tokens and speaks of {}; expected as many": (
        "{1} 第 {0} 行有 {2} 个词元，却给出 {3} 个的信息；数目应相同"
    ),
    # Runs on texts
    "{}: {} -> {}, which sees {}, top_k_kd of {}, {} x {} steps": (
        "{}：{} -> {}，学生看到 {!t}，top_k_kd 取 {} 类，{!t} x {} 步"
    ),
    "all of it": "全部文本",
    "{} bytes": "{} 字节",
    "there is no recipe {}; {}": "没有名为 {} 的配方；{!t}",
    "--{} is of texts; add --recipe text": "--{} 用于文本；请加上 --recipe text",
    "--{} is not of texts; leave it out": "--{} 不用于文本；请去掉",
    "{} is not of texts; leave it out": "{} 不用于文本；请去掉",
    "--recipe {} is for that data; leave out --recipe or --data": (
        "--recipe {} 是该数据的配方；请去掉 --recipe 或 --data"
    ),
    "gpt-{}x{} of {} classes and {} tokens; expected sizes of 1 or more, and a width that {} divides": (
        "gpt-{}x{}，{} 个类别，{} 个词元；各尺寸应不小于 1，宽度应为 {} 的倍数"
    ),
    "token ids are {}; expected (batch, tokens) of at most {} tokens": (
        "词元编号为 {}；应为 (batch, tokens)，最多 {} 个词元"
    ),
    "no language model is called {}; expected {}, as gpt-64x2": (
        "没有名为 {} 的语言模型；应为 {}，如 gpt-64x2"
    ),
    "For each seed both students start from the same weights and take the same number of steps. Both "
    "see the same text in the same order. One teacher is shared by all seeds: the interval is of the "
    "students.": (
        "对每个种子，两个学生从相同的权重出发，走相同的步数，按相同的顺序看相同的文本。"
        "各种子共用一个教师：区间只反映学生的波动。"
    ),
    "{} bits per byte": "每字节 {} 比特",
    "Its {} is {}% of the teacher's with {} of its parameters.": (
        "其{0!t}为教师的 {1}%，参数量为教师的 {2}。"
    ),
    "{}, {} training windows, {} validation, {} test, {} kinds of token, {} tokens in a window": (
        "{}，{} 个训练窗口，{} 个验证窗口，{} 个测试窗口，{} 种词元，每窗口 {} 个词元"
    ),
    "Bits per byte": "每字节比特数",
    "bits per byte": "每字节比特数",
    "Validation, bits per byte": "验证集，每字节比特数",
    "kinds of token": "种词元",
    "windows": "窗口",
    "tokens in a window": "个词元一窗口",
    "{} has {} texts; expected {} or more, to hold some out for the test: files, or paragraphs of "
    "together {} letters": (
        "{} 有 {} 段文本；应不少于 {} 段，以便留出一部分用于测试：多个文件，或合计 {} 字符的段落"
    ),
    "no arm was trained; expected teacher, alone or distilled in arms": (
        "没有训练任何一方；arms 中应有 teacher、alone 或 distilled"
    ),
    "the teacher: {} bits per byte of the validation text": "教师：验证文本每字节 {} 比特",
    "{} has no output layer whose rows could be counted": "{} 没有可数行数的输出层",
    "{} is no function; expected one of (classes, window)": (
        "{} 不是函数；应为 (classes, window) 的函数"
    ),
    "{} is no run on texts; expected one of --recipe text": (
        "{} 不是文本上的运行；应为 --recipe text 的运行"
    ),
    "is {}; expected one language model": "为 {}；应为一个语言模型",
    "{} is {}; expected a multiple of the {} epochs into which they are cut": (
        "{} 为 {}；应为所分 {} 轮的倍数"
    ),
    "own.": "text 用于语言模型，数据为 pydoc 或 --data text:路径；也可为自带配方的数据集。",
    "Of text: bytes that the student sees (32000), 0 for all of it.": (
        "用于文本：学生看到的字节数（32000），0 为全部。"
    ),
    "Of text: classes kept of each token (64).": "用于文本：每个词元保留的类别数（64）。",
    "Texts": "文本",
    # The command
    "a cache cannot {}; {}": "缓存没有 {} 这一操作；{!t}",
    "didact cache {} takes {}; got {}": "didact cache {} 需要 {}；得到 {}",
    "name the teacher with --teacher: hf:DIR or file.py:Name": (
        "请用 --teacher 指明教师：hf:文件夹 或 file.py:名称"
    ),
    "--teacher is {}; expected hf:DIR or file.py:Name": (
        "--teacher 为 {}；应为 hf:文件夹 或 file.py:名称"
    ),
    "name the tokenizer of this teacher with --tokenizer FILE": (
        "请用 --tokenizer 文件 指明此教师的分词器"
    ),
    "{} gave {}; expected a torch.nn.Module": "{} 给出 {}；应为 torch.nn.Module",
    "name the text with --data: pydoc or text:PATH": "请用 --data 指明文本：pydoc 或 text:路径",
    "{} files, {} bytes: each has its digest": "{} 个文件，{} 字节：摘要全部相符",
    "{} rows again: logits differ by at most {}, two runs of the teacher by {}": (
        "重新计算 {} 行：logits 最多相差 {}，教师两次运行之间相差 {}"
    ),
    "what is converted knows one temperature; give --temperature once": (
        "所转换的内容只有一个温度；--temperature 只能给一次"
    ),
    "rows": "行",
    "files": "文件",
    "Keep what a teacher says of a text: its likeliest classes and their normaliser.": (
        "保存教师对一段文本的输出：最可能的类别及其归一化项。"
    ),
    "A cache answers for its teacher, tokenizer, data and temperatures, and is refused for others. A "
    "build that was killed goes on when the same command is given again, to the same bytes.": (
        "缓存对应于其教师、分词器、数据和温度，用于别的则会被拒绝。"
        "建立中途被杀，再次执行同一命令即可继续，所得字节完全相同。"
    ),
    "build, verify, info or convert": "build、verify、info 或 convert",
    "The folder of the cache; for convert, before it what is converted: vllm-jsonl:FILE, axolotl:FILE, "
    "axolotl-legacy:FILE or distillkit:FOLDER.": (
        "缓存的文件夹；convert 时，其前为所转换的内容：vllm-jsonl:文件、axolotl:文件、"
        "axolotl-legacy:文件 或 distillkit:文件夹。"
    ),
    "Of build, and of verify to run it again: hf:DIR, a folder of transformers, or file.py:Name, which "
    "gives a model from token ids to logits.": (
        "用于 build，以及 verify 时重新运行：hf:文件夹（transformers 的模型），"
        "或 file.py:名称，给出从词元编号到 logits 的模型。"
    ),
    "A tokenizer.json, or its folder; by default that of hf:DIR.": (
        "tokenizer.json 或其所在文件夹；默认为 hf:文件夹 的分词器。"
    ),
    "The text: pydoc, or text:PATH of a file or a folder.": (
        "文本：pydoc，或 text:路径（文件或文件夹）。"
    ),
    "Classes kept of a token (64).": "每个词元保留的类别数（64）。",
    "At which it can be read (1). Repeatable.": "可读取的温度（1）。可重复给出。",
    "float32, bfloat16, float16, or u8 in 256 steps; the teacher's own.": (
        "float32、bfloat16、float16，或 256 级的 u8；默认为教师自身的精度。"
    ),
    "packed, or int32, which is read faster.": "packed，或读取更快的 int32。",
    "Of convert: how many the teacher knows.": "用于 convert：教师的类别数。",
    "Rows that the teacher is given at a time.": "教师一次处理的行数。",
    "Of verify: rows that are compared again.": "用于 verify：重新比较的行数。",
}
