"""The catalogue: what the application says in English, and the same in Chinese."""

TEXTS = {
    "--lang is {language}; expected en or zh": "--lang 的值是 {language}；应为 en 或 zh",
    "Read Chinese licence plates from photographs.": "从照片中识别中国车牌。",
    "Print the version and stop.": "打印版本号后退出。",
    "en or zh; that of the locale by default.": "en 或 zh；默认随系统区域设置。",
    "error: {error}": "错误：{error}",
    "interrupted": "已中断",
    "cannot read or write {file}: {reason}": "无法读写 {file}：{reason}",
    "what was to be printed": "要打印的内容",
    "there is not enough memory for this": "内存不足",
    # Reading photographs
    "Photographs, folders of them, films, and numbers of cameras.": (
        "照片、装有照片的文件夹、视频，或摄像头编号。"
    ),
    "Print a list as JSON.": "以 JSON 列表输出。",
    "Print a table as CSV.": "以 CSV 表格输出。",
    "Write the photographs with the plates drawn in, into this folder.": (
        "把画出车牌的照片写入该文件夹。"
    ),
    "A folder of models that didact-plates train wrote.": "由 didact-plates train 写出的模型文件夹。",
    "Confidence below which a reading is no plate.": "置信度低于该值的读数不算车牌。",
    "Of the frames of a film, which one is looked at.": "视频每隔多少帧看一帧。",
    "CPU threads.": "CPU 线程数。",
    "Print the plates of photographs: text, colour, place, confidence and time.": (
        "打印照片上的车牌：号码、颜色、位置、置信度和用时。"
    ),
    "What cannot be read is said on standard error, the others are read; the exit code is then 2.": (
        "读不出的文件在标准错误里说明，其余照常识别；此时退出码为 2。"
    ),
    "For example: didact-plates photos/ --csv > plates.csv": (
        "例如：didact-plates photos/ --csv > plates.csv"
    ),
    "--json and --csv were both given; choose one": "同时给出了 --json 和 --csv；请只选一个",
    "no plate was found": "没有找到车牌",
    "{milliseconds} ms": "{milliseconds} 毫秒",
    "blue": "蓝",
    "yellow": "黄",
    "green": "绿",
    "white": "白",
    "black": "黑",
    "camera {number}": "摄像头 {number}",
    "there is no {camera}, or another program uses it": "没有{camera}，或它正被其他程序占用",
    "there is no file {file}": "没有文件 {file}",
    "one of the photographs has no name": "有一个照片名是空的",
    "{file} is no regular file": "{file} 不是普通文件",
    "{file} is of no size: there is nothing in it": "{file} 大小为零，里面什么也没有",
    "{file} is a folder": "{file} 是文件夹",
    "{file} cannot be read: {reason}": "无法读取 {file}：{reason}",
    "{file} is no picture that can be read; expected JPEG, PNG, BMP, GIF, WebP or TIFF of 8 or 16 bits": (
        "{file} 不是可以读取的图片；应为 8 位或 16 位的 JPEG、PNG、BMP、GIF、WebP 或 TIFF"
    ),
    "{file} is damaged: {reason}": "{file} 已损坏：{reason}",
    "{file} has {size} megapixels ({width} x {height}), more than {most}: make it smaller": (
        "{file} 有 {size} 百万像素（{width} x {height}），超过 {most} 百万像素：请先缩小"
    ),
    "{file} is no film that can be read; it may be damaged": "{file} 不是可以读取的视频，可能已损坏",
    "{file} has no frame that can be read; it may be damaged": (
        "{file} 没有可以读取的画面，可能已损坏"
    ),
    "the folder {file} cannot be read: {reason}": "无法读取文件夹 {file}：{reason}",
    "the folder {file} has no photograph; expected files that end in {endings}": (
        "文件夹 {file} 里没有照片；应有以 {endings} 结尾的文件"
    ),
    "--draw {folder} is a file; expected a folder": "--draw {folder} 是文件；应为文件夹",
    "--draw {folder} has photographs that are read; name another folder": (
        "--draw {folder} 里有要读取的照片；请另选文件夹"
    ),
    # The window
    "Show photographs and their plates in a window.": "在窗口中显示照片及其车牌。",
    "Arrow keys go along, and so does dragging the photograph to a side.": (
        "用方向键或左右拖动照片来翻看。"
    ),
    "Photographs and folders to begin with.": "一开始就打开的照片和文件夹。",
    "this Python has no tkinter (on Debian: python3-tk); use: didact-plates page": (
        "这个 Python 没有 tkinter（Debian 上的包名是 python3-tk）；可改用：didact-plates page"
    ),
    "there is no display to open a window on; use: didact-plates page": (
        "没有可以打开窗口的显示器；可改用：didact-plates page"
    ),
    "Open ...": "打开…",
    "Back": "上一张",
    "Next": "下一张",
    "Photographs": "照片",
    "All files": "所有文件",
    "Open photographs, or drag and use the arrow keys to go along.": (
        "请打开照片；拖动或按方向键翻看。"
    ),
    "two rows": "双层",
    # The page
    "Open a page to drop photographs on, which shows their plates.": (
        "打开一个网页：拖入照片，即显示其中的车牌。"
    ),
    "It is served to this machine alone; nothing leaves it. Ctrl-C ends it.": (
        "只对本机开放，任何内容都不会外传。按 Ctrl-C 结束。"
    ),
    "The port; another free one if it is taken.": "端口；被占用时换一个空闲的。",
    "Print the address and open nothing.": "只打印地址，不打开浏览器。",
    "{module} is not installed. Install it with: pip install {package}": (
        "没有安装 {module}。安装命令：pip install {package}"
    ),
    "didact-plates page is at {address} (Ctrl-C ends it)": (
        "didact-plates 页面已启动：{address}（按 Ctrl-C 结束）"
    ),
    "no port of {host} is free": "{host} 上没有空闲的端口",
    "this request does not come from the page; open that again": (
        "请求不是来自本页面，请重新打开页面"
    ),
    "the file has more than {size} megabytes": "文件超过 {size} MB",
    # Data
    "Fetch EasyPR's character set, 13,136 pictures, by checksum.": (
        "按校验和下载 EasyPR 的字符集，共 13136 张图片。"
    ),
    "Train with it afterwards: didact-plates train models --real plates-data": (
        "之后用它训练：didact-plates train models --real plates-data"
    ),
    "Where the characters are kept.": "字符集存放在哪里。",
    "A folder with chars2.7z and charsChinese.7z, where there is no network.": (
        "没有网络时，存有 chars2.7z 和 charsChinese.7z 的文件夹。"
    ),
    "{file}: {characters} characters of {classes} classes, {test} of them for tests": (
        "{file}：{classes} 类共 {characters} 个字符，其中 {test} 个用于测试"
    ),
    "{file} is not the file that is expected: its SHA-256 is {found}, not {digest}": (
        "{file} 不是所需的文件：其 SHA-256 为 {found}，应为 {digest}"
    ),
    "{name} could not be fetched ({reason}); without network, take it from {address} to a folder "
    "and use --from FOLDER": (
        "无法下载 {name}（{reason}）；没有网络时，请从 {address} 取得它，放进一个文件夹，再用 --from 指定该文件夹"
    ),
    "the archives have no pictures of characters": "压缩包里没有字符图片",
    # Training
    "the folder {folder} has no {file}; expected what didact-plates train wrote": (
        "文件夹 {folder} 里没有 {file}；应为 didact-plates train 写出的文件夹"
    ),
    "{folder} is there already, and is no folder": "{folder} 已经存在，而且不是文件夹",
    "Show this message and exit.": "显示本说明后退出。",
    "Train a reader: from drawn plates alone, or also from real characters and plates.": (
        "训练识别模型：只用画出的车牌，或再加上真实的字符和车牌。"
    ),
    "A run that was stopped goes on when it is started again. Use the result with --model FOLDER.": (
        "中断的训练再次启动时会继续。结果用 --model 文件夹 来使用。"
    ),
    "For example: didact-plates train models --real plates-data": (
        "例如：didact-plates train models --real plates-data"
    ),
    "Where the models are written to.": "模型写到哪里。",
    "What didact-plates fetch wrote: a folder, or the file in it.": (
        "didact-plates fetch 写出的文件夹，或其中的文件。"
    ),
    "A folder of cut plates, each file named by its text, as 京A12345.jpg.": (
        "裁好的车牌所在的文件夹，每个文件以号码命名，如 京A12345.jpg。"
    ),
    "A few seconds, to see that all works.": "只训练几秒，看看一切是否正常。",
    "Of weights and plates.": "权重和车牌的随机种子。",
    # The classic system
    "{file} has no recogniser of characters: {reason}": "{file} 里没有字符识别器：{reason}",
    "{path} is no file of characters: expected x, y, is_test and glyph": (
        "{path} 不是字符数据文件：应包含 x、y、is_test 和 glyph"
    ),
    "{folder} has no cut plate whose file is named by its text, such as 京A12345.jpg": (
        "{folder} 里没有以车牌号命名的车牌图片，例如 京A12345.jpg"
    ),
    "step {step} of {steps}: loss {loss}, {seconds} s": (
        "第 {step} 步，共 {steps} 步：损失 {loss}，用时 {seconds} 秒"
    ),
    "{file} is damaged; remove it to begin anew": "{file} 已损坏；删除它即可重新开始",
    "{file} is of a run with other settings; remove it to begin anew": (
        "{file} 属于设置不同的另一次训练；删除它即可重新开始"
    ),
    "{folder} is a file; expected a folder": "{folder} 是文件；应为文件夹",
    "{folder} cannot be written: {reason}": "无法写入 {folder}：{reason}",
    "there is no folder {folder}": "没有文件夹 {folder}",
    "there is no file {path}": "没有文件 {path}",
    "{path} is no reader of plates": "{path} 不是车牌识别模型",
}

COMPLAINTS = (
    (r"Missing command\.", "缺少命令。"),
    (r"No such command '(.*)'\.", "没有命令 '{}'。"),
    (r"No such option: (\S+) Did you mean (.*)\?", "没有选项 {}，是否想写 {}？"),
    (r"No such option: (\S+) \(Possible options: (.*)\)", "没有选项 {}（可能是：{}）"),
    (r"No such option: (\S+)", "没有选项 {}"),
    (r"Missing argument '(.*)'\.", "缺少参数 '{}'。"),
    (r"Missing option '(.*)'\.", "缺少选项 '{}'。"),
    (r"Option '(.*)' requires an argument\.", "选项 '{}' 需要一个值。"),
    (r"Option '(.*)' does not take a value\.", "选项 '{}' 不带值。"),
    (r"Got unexpected extra arguments? \((.*)\)", "多出了参数 {}"),
    (
        r"Invalid value for '(.*)': '?(.*?)'? is not a valid (?:int|integer)\.",
        "'{}' 的值无效：{} 不是整数。",
    ),
    (
        r"Invalid value for '(.*)': '?(.*?)'? is not a valid (?:float|number)\.",
        "'{}' 的值无效：{} 不是数。",
    ),
    (
        r"Invalid value for '(.*)': Input should be greater than or equal to (\S+)",
        "'{}' 的值无效：应不小于 {}。",
    ),
    (
        r"Invalid value for '(.*)': Input should be less than or equal to (\S+)",
        "'{}' 的值无效：应不大于 {}。",
    ),
    (
        r"Invalid value for '(.*)': Input should be a valid integer.*",
        "'{}' 的值无效：应为整数。",
    ),
    (r"Invalid value for '(.*)': Input should be a valid number.*", "'{}' 的值无效：应为数。"),
    (
        r"Invalid value for '(.*)': (\S+) is not in the range (.*)\.",
        "'{}' 的值无效：{} 不在范围 {} 内。",
    ),
    (r"Invalid value for '(.*)': (.*)", "'{}' 的值无效：{}"),
)
"""What typer says of a command line, as a pattern, and the same in Chinese."""
